// SPDX-License-Identifier: Apache-2.0
#include "cgroup_systemd.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "cgroup_files.h"
#include "cgroup_writes.h"

namespace {

constexpr std::uint64_t kInfinity = ~std::uint64_t{0};
constexpr std::chrono::seconds kStopTime{10};

// --- names ----------------------------------------------------------------------

bool is_unit_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
  return !name.empty() && name.size() < 256 &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

Error bad_path(const std::string& path, std::string_view why) {
  Error error{"cgroup path '" + path + "': " + std::string(why), EINVAL,
              "with systemd it has the form slice:prefix:name"};
  error.field = "/linux/cgroupsPath";
  return error;
}

// --- connection ------------------------------------------------------------------

struct Address {
  std::string socket;
  Dbus::Peer peer;
};

std::vector<Address> addresses() {
  if (::geteuid() == 0)
    return {{"/run/systemd/private", Dbus::Peer::Direct},
            {"/run/dbus/system_bus_socket", Dbus::Peer::Broker}};
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  const std::string base = runtime ? runtime : "/run/user/" + std::to_string(::geteuid());
  return {{base + "/systemd/private", Dbus::Peer::Direct}, {base + "/bus", Dbus::Peer::Broker}};
}

class Systemd {
 public:
  static Result<Systemd> connect() {
    std::optional<Error> first;
    for (const Address& address : addresses()) {
      auto bus = Dbus::connect(address.socket, address.peer);
      if (!bus) {
        if (!first) first = std::move(bus).error();
        continue;
      }
      Systemd systemd(*std::move(bus), address.peer);
      // Through a broker, systemd sends signals to those who asked for them only.
      if (address.peer == Dbus::Peer::Broker) TRY(systemd.call("Subscribe", "", ""));
      return systemd;
    }
    return std::move(*first)
        .in("ask systemd for a cgroup")
        .with_hint(::geteuid() == 0
                       ? "is systemd running? --cgroup-manager=cgroupfs works without it"
                       : "is there a user session with systemd? see 'loginctl enable-linger'");
  }

  Result<DbusMessage> call(const std::string& member, const std::string& signature,
                           const std::string& body) {
    return bus_.call({peer_ == Dbus::Peer::Broker ? "org.freedesktop.systemd1" : "",
                      "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", member,
                      signature, body});
  }

  // The job of the reply has ended, and well.
  Result<void> finish(const DbusMessage& reply, const std::string& what) {
    const std::string job = DbusReader(reply.body).text();
    for (;;) {
      const DbusMessage removed = TRY(bus_.signal("JobRemoved"));
      DbusReader in(removed.body);
      (void)in.u32();
      if (in.text() != job) continue;
      (void)in.text();
      const std::string result = in.text();
      if (result == "done") return {};
      return Error{what + ": systemd's job ended with '" + result + "'", 0,
                   "see 'journalctl -b _PID=1'"};
    }
  }

 private:
  Systemd(Dbus bus, Dbus::Peer peer) : bus_(std::move(bus)), peer_(peer) {}
  Dbus bus_;
  Dbus::Peer peer_;
};

bool is_error(const Error& error, std::string_view name) {
  return error.what.starts_with("org.freedesktop.systemd1." + std::string(name));
}

// --- limits ------------------------------------------------------------------------

std::uint64_t limit_or_infinity(std::int64_t value) {
  return value < 0 ? kInfinity : static_cast<std::uint64_t>(value);
}

bool is_set(const std::optional<std::int64_t>& value) {
  return value && *value != 0;
}

Result<void> memory_limits(const MemoryLimits& memory, DbusProperties& out) {
  if (is_set(memory.limit)) out.emplace_back("MemoryMax", limit_or_infinity(*memory.limit));
  if (is_set(memory.reservation))
    out.emplace_back("MemoryLow", limit_or_infinity(*memory.reservation));
  const std::optional<std::string> swap = TRY(swap_of_v2(memory));
  if (swap)
    out.emplace_back("MemorySwapMax", *swap == "max" ? kInfinity
                                                     : static_cast<std::uint64_t>(std::strtoull(
                                                           swap->c_str(), nullptr, 10)));
  return {};
}

void cpu_limits(const CpuLimits& cpu, DbusProperties& out) {
  if (cpu.shares.value_or(0) != 0 && cpu.idle.value_or(0) != 1)
    out.emplace_back("CPUWeight", weight_of_shares(*cpu.shares));
  const std::uint64_t period = cpu.period.value_or(0) != 0 ? *cpu.period : 100000;
  if (cpu.period.value_or(0) != 0) out.emplace_back("CPUQuotaPeriodUSec", period);
  if (!is_set(cpu.quota)) return;
  std::uint64_t per_second = kInfinity;
  if (*cpu.quota > 0) {
    per_second = static_cast<std::uint64_t>(*cpu.quota) * 1000000 / period;
    // systemd keeps whole percents and rounds down: a little more rather than less.
    per_second = (per_second + 9999) / 10000 * 10000;
  }
  out.emplace_back("CPUQuotaPerSecUSec", per_second);
}

// "0-2,8" to the bit mask that systemd takes, byte by byte.
std::vector<std::uint8_t> bit_mask(std::string_view list) {
  std::vector<std::uint8_t> mask;
  const char* end = list.data() + list.size();
  for (const char* p = list.data(); p < end; ++p) {
    unsigned first = 0;
    auto [next, error] = std::from_chars(p, end, first);
    if (error != std::errc()) continue;
    unsigned last = first;
    if (next < end && *next == '-') next = std::from_chars(next + 1, end, last).ptr;
    for (unsigned bit = first; bit <= last && bit < 8192; ++bit) {
      if (bit / 8 >= mask.size()) mask.resize(bit / 8 + 1);
      mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | 1U << (bit % 8));
    }
    p = next;
  }
  return mask;
}

// --- annotations ---------------------------------------------------------------------

template <class T>
std::optional<DbusValue> whole_number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return DbusValue(value);
}

std::optional<std::string> quoted(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() || (text[0] != '\'' && text[0] != '"'))
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.find_first_of("\\'\"") != std::string_view::npos) return std::nullopt;
  return std::string(text);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<DbusValue> list_of_strings(std::string_view text) {
  std::vector<std::string> out;
  text = trimmed(text.substr(1, text.size() - 2));
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto item = quoted(trimmed(text.substr(0, comma)));
    if (!item) return std::nullopt;
    out.push_back(*item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return DbusValue(out);
}

std::optional<DbusValue> parse_value(std::string_view text) {
  text = trimmed(text);
  if (text == "true" || text == "false") return DbusValue(text == "true");
  if (const auto string = quoted(text)) return DbusValue(*string);
  if (text.starts_with("uint64 ")) return whole_number<std::uint64_t>(trimmed(text.substr(7)));
  if (text.starts_with("uint32 ")) return whole_number<std::uint32_t>(trimmed(text.substr(7)));
  if (text.starts_with("int32 ")) return whole_number<std::int32_t>(trimmed(text.substr(6)));
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') return list_of_strings(text);
  return whole_number<std::int32_t>(text);
}

}  // namespace

Result<ScopeName> scope_name(const std::string& path, const std::string& id, bool user) {
  ScopeName name = {user ? "user.slice" : "system.slice", "runc-like-" + id + ".scope"};
  if (!path.empty()) {
    const auto first = path.find(':');
    const auto second = first == std::string::npos ? first : path.find(':', first + 1);
    if (second == std::string::npos) return bad_path(path, "needs three parts");
    if (first > 0) name.slice = path.substr(0, first);
    const std::string prefix = path.substr(first + 1, second - first - 1);
    name.unit = prefix + (prefix.empty() ? "" : "-") + path.substr(second + 1) + ".scope";
    if (second + 1 == path.size()) return bad_path(path, "the name is empty");
  }
  const bool slice = name.slice.ends_with(".slice") && is_unit_name(name.slice) &&
                     (name.slice == "-.slice" ||
                      (name.slice.front() != '-' && name.slice.find("--") == std::string::npos &&
                       !name.slice.ends_with("-.slice")));
  if (!slice) return bad_path(path, "'" + name.slice + "' is no name of a slice");
  if (!is_unit_name(name.unit)) return bad_path(path, "'" + name.unit + "' is no name of a unit");
  return name;
}

std::string slice_path(const std::string& slice) {
  std::string out;
  if (slice == "-.slice") return out;
  const std::string base = slice.substr(0, slice.size() - std::string_view(".slice").size());
  for (std::size_t dash = base.find('-');; dash = base.find('-', dash + 1)) {
    out += "/" + base.substr(0, dash) + ".slice";
    if (dash == std::string::npos) return out;
  }
}

Result<DbusProperties> scope_limits(const Resources& resources) {
  DbusProperties out;
  TRY(memory_limits(resources.memory, out));
  cpu_limits(resources.cpu, out);
  if (resources.pids)
    out.emplace_back("TasksMax", *resources.pids < 0 ? kInfinity
                                                     : static_cast<std::uint64_t>(std::max(
                                                           *resources.pids, std::int64_t{1})));
  if (!resources.cpu.cpus.empty()) out.emplace_back("AllowedCPUs", bit_mask(resources.cpu.cpus));
  if (!resources.cpu.mems.empty())
    out.emplace_back("AllowedMemoryNodes", bit_mask(resources.cpu.mems));
  return out;
}

Result<DbusProperties> scope_annotations(const std::map<std::string, std::string>& annotations) {
  DbusProperties out;
  for (const auto& [name, text] : annotations) {
    auto value = parse_value(text);
    if (!value) {
      Error error{"annotation org.systemd.property." + name + ": cannot read '" + text + "'"};
      error.field = "/annotations/org.systemd.property." + name;
      error.hint = "write 'text', true, uint64 5 or ['a', 'b']";
      return error;
    }
    out.emplace_back(name, *std::move(value));
  }
  return out;
}

Result<void> start_scope(const ScopeName& name, pid_t pid, const std::string& description,
                         const DbusProperties& limits) {
  DbusProperties properties = {{"Description", description},
                               {"Slice", name.slice},
                               {"Delegate", true},
                               {"DefaultDependencies", false},
                               {"CPUAccounting", true},
                               {"MemoryAccounting", true},
                               {"IOAccounting", true},
                               {"TasksAccounting", true},
                               {"PIDs", std::vector{static_cast<std::uint32_t>(pid)}}};
  // The root slice is where units without a slice go.
  if (name.slice == "-.slice")
    std::erase_if(properties, [](const auto& p) { return p.first == "Slice"; });
  properties.insert(properties.end(), limits.begin(), limits.end());
  DbusWriter body;
  body.text(name.unit).text("fail").properties(properties);
  body.end_array(body.begin_array(8), 8);  // no auxiliary units
  Systemd systemd = TRY(Systemd::connect());
  auto reply = systemd.call("StartTransientUnit", "ssa(sv)a(sa(sv))", body.bytes());
  if (!reply && is_error(reply.error(), "UnitExists")) {
    // One that has failed before stays until somebody says that he has seen it.
    (void)systemd.call("ResetFailedUnit", "s", DbusWriter().text(name.unit).bytes());
    reply = systemd.call("StartTransientUnit", "ssa(sv)a(sa(sv))", body.bytes());
  }
  if (!reply) return std::move(reply).error().in("start scope '" + name.unit + "'");
  return systemd.finish(*reply, "start scope '" + name.unit + "'");
}

Result<void> change_scope(const std::string& unit, const DbusProperties& properties) {
  if (properties.empty()) return {};
  Systemd systemd = TRY(Systemd::connect());
  DbusWriter body;
  body.text(unit).u32(1).properties(properties);  // 1: until the unit ends, not for ever
  auto reply = systemd.call("SetUnitProperties", "sba(sv)", body.bytes());
  if (!reply) return std::move(reply).error().in("change scope '" + unit + "'");
  return {};
}

Result<void> stop_scope(const std::string& unit) {
  Systemd systemd = TRY(Systemd::connect());
  const std::string name = DbusWriter().text(unit).bytes();
  const auto stopped =
      systemd.call("StopUnit", "ss", DbusWriter().text(unit).text("replace").bytes());
  if (!stopped && is_error(stopped.error(), "NoSuchUnit")) return {};
  if (!stopped) return Error(stopped.error()).in("stop scope '" + unit + "'");
  // A scope without processes also ends by itself, and then its job is not the
  // one of the reply: what counts is that the name is free again. systemd drops
  // the unit when it next has nothing else to do.
  const Deadline deadline = after(kStopTime);
  for (int pause = 1; milliseconds_until(deadline) > 0; pause = std::min(2 * pause, 50)) {
    (void)systemd.call("ResetFailedUnit", "s", name);
    const auto unit_path = systemd.call("GetUnit", "s", name);
    if (!unit_path) return {};
    (void)::poll(nullptr, 0, pause);
  }
  return {};  // it is empty, and systemd will find out
}
