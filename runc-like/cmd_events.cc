// SPDX-License-Identifier: Apache-2.0
// events: what a container uses, once or again and again, and each kill for want
// of memory the moment it happens. Everything is waited for; nothing is polled.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "cgroup_files.h"
#include "stats.h"
#include "verbs.h"

namespace {

using std::chrono::milliseconds;

// "5s", "500ms", "1m30s", or a number of seconds.
Result<milliseconds> parse_duration(const std::string& text) {
  struct Unit {
    std::string_view name;
    long milliseconds;
  };
  constexpr std::array<Unit, 4> kUnits = {
      {{"ms", 1}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}};
  const Error wrong{"--interval: '" + text + "' is no duration", 0, "5s, 500ms or 1m30s are"};
  if (const auto seconds = parse_integer(text); seconds && *seconds > 0 && *seconds < 1'000'000)
    return milliseconds(*seconds * 1000);
  long total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const auto number = parse_integer(rest.substr(0, digits));
    rest.remove_prefix(digits);
    if (!number || *number > 1'000'000) return wrong;
    const Unit* unit = nullptr;
    for (const Unit& row : kUnits)
      if (unit == nullptr && rest.starts_with(row.name)) unit = &row;
    if (unit == nullptr) return wrong;
    rest.remove_prefix(unit->name.size());
    total += *number * unit->milliseconds;
  }
  if (total <= 0) return wrong;
  return milliseconds(total);
}

Result<void> print_stats(const std::string& id, const Cgroup& cgroup) {
  JsonWriter json;
  json.begin_object().member("type", "stats").member("id", id).key("data");
  write_stats(json, cgroup);
  return write_all(FdRef(1), json.end_object().take() + "\n", "standard output");
}

// Tells of kills for want of memory: v2 changes a file, v1 writes to a descriptor.
class OomWatch {
 public:
  static Result<OomWatch> start(const Cgroup& cgroup) {
    const auto paths = cgroup.paths();
    const bool unified = paths.size() == 1 && paths.contains("");
    const std::string memory = unified ? paths.at("") : cgroup.path_of("memory");
    if (memory.empty()) return OomWatch({}, {}, {});
    return unified ? watch_file(memory) : watch_control(memory);
  }

  FdRef fd() const { return fd_; }

  // How many there were since it was last asked.
  std::uint64_t kills() {
    std::array<char, 4096> drained = {};
    // What it says is read from the file.
    if (::read(fd_.get(), drained.data(), drained.size()) < 0) return 0;
    // v1 also tells when the cgroup is removed.
    if (control_) return ::access((path_ + "/memory.oom_control").c_str(), F_OK) == 0 ? 1 : 0;
    const auto text = read_cgroup_file(path_, "memory.events");
    if (!text) return 0;
    const std::uint64_t now = counter(*text, "oom_kill");
    return now - std::exchange(seen_, now);
  }

 private:
  OomWatch(UniqueFd fd, UniqueFd control, std::string path)
      : fd_(std::move(fd)), control_(std::move(control)), path_(std::move(path)) {}

  static Result<OomWatch> watch_file(const std::string& path) {
    UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!fd) return errno_error("create", "inotify");
    const std::string file = path + "/memory.events";
    // A cgroup without the memory controller has no such file, and no such kills.
    if (::inotify_add_watch(fd.get(), file.c_str(), IN_MODIFY) < 0) return OomWatch({}, {}, {});
    OomWatch watch(std::move(fd), {}, path);
    (void)watch.kills();
    return watch;
  }

  static Result<OomWatch> watch_control(const std::string& path) {
    UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event) return errno_error("create", "eventfd");
    UniqueFd control = TRY(open_at(kCwd, path + "/memory.oom_control", O_RDONLY));
    TRY(write_cgroup_file(path, "cgroup.event_control",
                          std::to_string(event.get()) + " " + std::to_string(control.get())));
    return OomWatch(std::move(event), std::move(control), path);
  }

  UniqueFd fd_;
  UniqueFd control_;  // v1: open as long as we listen
  std::string path_;
  std::uint64_t seen_ = 0;
};

Result<void> stream(const Container& container, const Cgroup& cgroup, milliseconds interval) {
  const std::string& id = container.record().id;
  const auto process = container.process();
  if (!process) return Error{"container with id " + id + " is not running"};
  OomWatch watch = TRY(OomWatch::start(cgroup));
  Deadline next = after(interval);
  for (;;) {
    std::array<pollfd, 2> fds = {{{process->get(), POLLIN, 0}, {watch.fd().get(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), milliseconds_until(next));
    if (ready < 0 && errno != EINTR) return errno_error("poll", "container");
    if (fds[1].revents != 0)
      for (std::uint64_t n = watch.kills(); n > 0; --n)
        TRY(write_all(FdRef(1), R"({"type":"oom","id":")" + id + "\"}\n", "standard output"));
    if (fds[0].revents != 0) return {};
    if (milliseconds_until(next) > 0) continue;
    TRY(print_stats(id, cgroup));
    next = after(interval);
  }
}

}  // namespace

Result<int> cmd_events(const Arguments& arguments) {
  const milliseconds interval = TRY(parse_duration(arguments.options.value_or("interval", "5s")));
  const Container container = TRY(Container::open(root_of(arguments), arguments.positionals[0]));
  if (container.status_but_paused() == Status::Stopped)
    return Error{"container with id " + container.record().id + " is not running"};
  const Cgroup cgroup = TRY(container.cgroup());
  if (arguments.options.flag("stats"))
    TRY(print_stats(container.record().id, cgroup));
  else
    TRY(stream(container, cgroup, interval));
  return 0;
}
