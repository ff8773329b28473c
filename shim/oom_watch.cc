// SPDX-License-Identifier: Apache-2.0
#include "oom_watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace {

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool lists_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "memory") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

std::optional<long> read_kills(const UniqueFd& fd) {
  std::array<char, 1024> text = {};
  const ssize_t n = ::pread(fd.get(), text.data(), text.size(), 0);
  if (n <= 0) return std::nullopt;
  return oom_kills({text.data(), static_cast<std::size_t>(n)});
}

// v1: the kernel tells an eventfd, once that is written into a control file.
UniqueFd register_event(const std::string& cgroup, FdRef control) {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::string line = std::to_string(event.get()) + " " + std::to_string(control.get());
  const UniqueFd file(::open((cgroup + "/cgroup.event_control").c_str(), O_WRONLY | O_CLOEXEC));
  if (!event || !file || !write_all(file, line, "cgroup.event_control")) return UniqueFd();
  return event;
}

}  // namespace

std::optional<MemoryCgroup> find_memory_cgroup(std::string_view text) {
  std::optional<MemoryCgroup> found;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (lists_memory(controllers)) return MemoryCgroup{"/sys/fs/cgroup/memory" + path, false};
    if (line.starts_with("0::")) found = MemoryCgroup{"/sys/fs/cgroup" + path, true};
  }
  return found;
}

std::optional<long> oom_kills(std::string_view text) {
  constexpr std::string_view kKey = "oom_kill ";
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with(kKey)) continue;
    line.remove_prefix(kKey.size());
    long count = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), count).ec != std::errc())
      return std::nullopt;
    return count;
  }
  return std::nullopt;
}

std::unique_ptr<OomWatch> OomWatch::create(Loop& loop, pid_t pid, std::function<void()> on_kill) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/cgroup");
  const auto cgroup = text ? find_memory_cgroup(*text) : std::nullopt;
  if (!cgroup) return nullptr;
  const std::string name = cgroup->path + (cgroup->v2 ? "/memory.events" : "/memory.oom_control");
  UniqueFd counter(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  const auto before = counter ? read_kills(counter) : std::nullopt;
  if (!before) return nullptr;
  std::unique_ptr<OomWatch> watch(new OomWatch(std::move(counter), *before, std::move(on_kill)));
  OomWatch* const it = watch.get();
  if (cgroup->v2) {
    (void)loop.watch(it->counter_, EPOLLPRI, [it, &loop](std::uint32_t events) {
      it->look();
      if ((events & EPOLLHUP) != 0) loop.forget(it->counter_);
    });
    return watch;
  }
  it->event_ = register_event(cgroup->path, it->counter_);
  if (!it->event_) return watch;  // the look at the end remains
  (void)loop.watch(it->event_, EPOLLIN, [it](std::uint32_t) {
    std::uint64_t count = 0;
    (void)!::read(it->event_.get(), &count, sizeof count);
    it->look();
  });
  return watch;
}

void OomWatch::look() {
  const auto kills = read_kills(counter_);
  if (!kills || *kills <= before_ || !on_kill_) return;
  const auto tell = std::exchange(on_kill_, nullptr);
  tell();
}
