// SPDX-License-Identifier: Apache-2.0
// cgroup_apply.cc - limits and device rules into the files of a cgroup, all or
// none: what was written before a failure is put back.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <ranges>
#include <utility>

#include "cgroup_impl.h"
#include "device_filter.h"

namespace {

struct Previous {
  std::string path;
  std::string file;
  std::string value;
};

// Files with one line per device: "8:0 rbps=1000 …", "mlx5_0 hca_handle=2".
bool has_line_per_device(const CgroupWrite& write) {
  return write.controller == "rdma" || write.controller == "net_prio" ||
         (write.value.find(':') != std::string::npos && write.value.find(' ') != std::string::npos);
}

// The text that undoes a write to such a file.
std::string line_before(const CgroupWrite& write, std::string_view before) {
  const std::string device = write.value.substr(0, write.value.find(' '));
  const std::string_view line = keyed_value(before, device);
  if (!line.empty()) return device + " " + std::string(line);
  const auto equals = write.value.find('=');
  if (equals != std::string::npos) return write.value.substr(0, equals) + "=max";
  return device + (write.file.find("weight") != std::string::npos ? " default" : " 0");
}

// Writes, and remembers what was there when `remember`.
class Transaction {
 public:
  Transaction(Cgroup::Impl& impl, bool remember) : impl_(impl), remember_(remember) {}

  Result<void> perform(const std::vector<CgroupWrite>& writes) {
    for (std::size_t i = 0; i < writes.size(); ++i) {
      Result<void> done = one(writes[i]);
      if (!done && writes[i].tied_to_next && i + 1 < writes.size() && one(writes[i + 1]))
        done = one(writes[i]);
      if (!done) {
        roll_back();
        return done;
      }
    }
    return {};
  }

  void roll_back() {
    for (const Previous& p : std::views::reverse(previous_))
      (void)write_cgroup_file(p.path, p.file, p.value);
    previous_.clear();
    if (remember_)
      for (CgroupPlace* place : joined_) impl_.leave(*place);
  }

 private:
  Result<void> one(const CgroupWrite& write) {
    const std::string path = TRY(directory(write));
    Result<void> done = set(path, write, write.file, write.value);
    const auto absent = [&] { return !done && done.error().code == ENOENT; };
    if (absent() && !write.other_file.empty())
      done = set(path, write, write.other_file, write.other_value);
    if (absent() && impl_.v2() && !enabled_) {
      // The controller may only not have been passed down to here yet.
      enabled_ = true;
      enable_controllers(impl_.places[0].mount, impl_.places[0].relative);
      return one(write);
    }
    if (absent() && write.only_if_present) return {};
    if (!done) return explain(std::move(done).error(), write);
    return {};
  }

  Result<std::string> directory(const CgroupWrite& write) {
    if (impl_.v2()) return impl_.places[0].path();
    CgroupPlace* place = impl_.place_of(write.controller);
    if (!place) {
      Error error{write.field + ": this host has no cgroup v1 hierarchy '" + write.controller +
                  "'"};
      error.field = write.field;
      return error;
    }
    if (!place->joined) {
      joined_.push_back(place);
      TRY(impl_.join_later(*place));
    }
    return place->path();
  }

  Result<void> set(const std::string& path, const CgroupWrite& write, const std::string& file,
                   const std::string& value) {
    std::optional<std::string> before;
    if (remember_) {
      if (auto text = read_cgroup_file(path, file)) before = *std::move(text);
    }
    TRY(write_cgroup_file(path, file, value));
    if (before && has_line_per_device(write)) before = line_before(write, *before);
    if (before) previous_.push_back({path, file, *std::move(before)});
    return {};
  }

  Error explain(Error error, const CgroupWrite& write) const {
    if (error.code == ENOENT && impl_.v2())
      error.hint = "the controller '" + write.controller +
                   "' is not available here: see cgroup.controllers of the parent cgroup";
    else if (error.code == EBUSY && write.controller == "memory")
      error.hint = "the processes of the container use more than that";
    else if (error.code == ENODEV && write.controller == "io")
      error.hint = "the numbers must be those of a whole disk, see /proc/partitions";
    error.what.insert(0, write.field + ": ");
    error.field = write.field;
    return error;
  }

  Cgroup::Impl& impl_;
  bool remember_;
  bool enabled_ = false;
  std::vector<Previous> previous_;
  std::vector<CgroupPlace*> joined_;  // v1 hierarchies entered for these limits
};

std::int64_t leading_number(std::string_view text) {
  std::int64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The half of a cpu.max pair that is not given stays what it is.
void complete_bandwidth(const std::string& path, Resources& resources) {
  CpuLimits& cpu = resources.cpu;
  if (cpu.quota.value_or(0) != 0 || cpu.period.value_or(0) == 0) return;
  const auto text = read_cgroup_file(path, "cpu.max");
  if (text && !text->starts_with("max")) cpu.quota = leading_number(*text);
}

Result<void> check_present_use(Cgroup::Impl& impl, const Resources& resources) {
  const std::int64_t limit = resources.memory.limit.value_or(0);
  if (!resources.memory.check_before_update || limit <= 0) return {};
  const CgroupPlace* place = impl.v2() ? &impl.places[0] : impl.place_of("memory");
  if (!place) return {};
  const auto text =
      read_cgroup_file(place->path(), impl.v2() ? "memory.current" : "memory.usage_in_bytes");
  if (!text || leading_number(*text) <= limit) return {};
  Error error{resources.pointer + "/memory/limit: " + std::to_string(limit) +
              " is less than the present use of " + *text + " bytes"};
  error.field = resources.pointer + "/memory/limit";
  return error;
}

Error no_cgroup(const std::string& field) {
  Error error{field + ": limits need a cgroup, and this user may not make one", EACCES,
              "delegate one, as with systemd-run --user --scope -p Delegate=yes"};
  error.field = field;
  return error;
}

Result<void> filter_devices_v2(const CgroupPlace& place, const Resources& resources) {
  const UniqueFd directory = TRY(open_at(kCwd, place.path(), O_RDONLY | O_DIRECTORY));
  const auto program = compile_device_filter(effective_device_rules(resources.devices));
  auto attached = attach_device_filter(
      directory, program, place.reused ? DeviceFilterMode::Replace : DeviceFilterMode::First);
  if (attached) return {};
  Error error = std::move(attached).error().in("device rules of '" + place.path() + "'");
  // Who may not load programs may not make device nodes either, and those that
  // the host's owner handed in keep their own permissions.
  if (error.code == EPERM && ::geteuid() != 0) return {};
  return std::move(error).at_field(resources.pointer + "/devices");
}

Result<void> filter_devices_v1(const CgroupPlace& place, const Resources& resources) {
  const auto lines = TRY(device_lines_v1(effective_device_rules(resources.devices)));
  const UniqueFd allow = TRY(open_at(kCwd, place.path() + "/devices.allow", O_WRONLY));
  const UniqueFd deny = TRY(open_at(kCwd, place.path() + "/devices.deny", O_WRONLY));
  for (const DeviceLine& line : lines) {
    const UniqueFd& file = line.allow ? allow : deny;
    if (::write(file.get(), line.text.data(), line.text.size()) >= 0) continue;
    Error error = errno_error("write '" + line.text + "' to",
                              place.path() + (line.allow ? "/devices.allow" : "/devices.deny"));
    return std::move(error).at_field(line.field);
  }
  return {};
}

}  // namespace

Result<void> Cgroup::apply(const Resources& given) {
  if (impl_->manager == CgroupManager::Disabled) return {};
  return impl_->apply(given);
}

Result<void> Cgroup::Impl::apply(const Resources& given) {
  Resources resources = given;
  if (v2() && !fresh) complete_bandwidth(places[0].path(), resources);
  const auto version = v2() || places.empty() ? CgroupVersion::V2 : CgroupVersion::V1;
  const std::vector<CgroupWrite> writes = TRY(cgroup_writes(resources, version));
  if (places.empty()) return writes.empty() ? Result<void>() : no_cgroup(writes[0].field);
  const bool systemd = manager == CgroupManager::Systemd;
  if (systemd && !places[0].joined) {
    waiting = resources;
    return {};
  }
  if (!fresh) TRY(check_present_use(*this, resources));
  Transaction transaction(*this, !fresh);
  TRY(transaction.perform(writes));
  // systemd writes the same values again when it reloads.
  if (systemd && !fresh) {
    const DbusProperties limits = TRY(scope_limits(resources));
    Result<void> changed = change_scope(scope.unit, limits);
    if (!changed) transaction.roll_back();
    TRY(std::move(changed));
  }
  if (!fresh) return {};
  if (v2()) return filter_devices_v2(places[0], resources);
  const CgroupPlace* devices = place_of("devices");
  return devices && devices->joined ? filter_devices_v1(*devices, resources) : Result<void>();
}
