// SPDX-License-Identifier: Apache-2.0
// cgroup_processes.cc - all processes of a cgroup at once: stop, continue, signal, end.
//
// Where there is a v2 hierarchy, alone or beside v1, the kernel does it
// (cgroup.freeze, cgroup.kill) and tells when it is done (cgroup.events). On v1
// alone the freezer holds them still while each gets its signal.
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include "cgroup_impl.h"

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr auto kFreezeTime = 10s;
constexpr auto kKillTime = 10s;
constexpr auto kRemoveTime = 2s;

UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

void send(FdRef pidfd, int number) {
  (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);  // gone is fine
}

// The v1 freezer reports FREEZING for as long as a process is still on its way
// out of the kernel, and has no event to wait for: the pause grows up to 10 ms.
Result<void> wait_frozen_v1(const std::string& path, Deadline deadline) {
  for (int pause = 0;; pause = std::min(2 * pause + 1, 10)) {
    const std::string state = TRY(read_cgroup_file(path, "freezer.state"));
    if (state == "FROZEN") return {};
    if (milliseconds_until(deadline) == 0) return Error{"freeze '" + path + "'", ETIMEDOUT};
    (void)::poll(nullptr, 0, pause);
    // Written again: a process that was just forked may have slipped through.
    TRY(write_cgroup_file(path, "freezer.state", "FROZEN"));
  }
}

Result<void> set_frozen(const CgroupPlace& place, bool frozen) {
  if (place.name.empty())
    return write_cgroup_file(place.path(), "cgroup.freeze", frozen ? "1" : "0");
  return write_cgroup_file(place.path(), "freezer.state", frozen ? "FROZEN" : "THAWED");
}

Error no_freezer(const CgroupPlace* place) {
  return Error{place ? "this host has no cgroup freezer" : "the container has no cgroup",
               EOPNOTSUPP};
}

bool can_freeze(const CgroupPlace* place) {
  return place && (place->name.empty() || place->has("freezer"));
}

// Holds a cgroup still; whatever happens, it runs again afterwards.
class Standstill {
 public:
  explicit Standstill(const CgroupPlace& place) : place_(place) {
    held_ = can_freeze(&place) && static_cast<bool>(set_frozen(place, true));
  }
  Standstill(const Standstill&) = delete;
  Standstill& operator=(const Standstill&) = delete;
  ~Standstill() {
    if (held_) (void)set_frozen(place_, false);
  }

 private:
  const CgroupPlace& place_;
  bool held_ = false;
};

Result<void> wait_for_end(const std::vector<UniqueFd>& pidfds, const CgroupPlace& place,
                          Deadline deadline) {
  for (const UniqueFd& pidfd : pidfds) {
    pollfd end = {pidfd.get(), POLLIN, 0};
    if (::poll(&end, 1, milliseconds_until(deadline)) == 0)
      return Error{"end the processes of '" + place.path() + "'", ETIMEDOUT};
  }
  return {};
}

// v1: kills what it finds until it finds nothing.
Result<void> kill_each(const CgroupPlace& place, Deadline deadline) {
  for (;;) {
    std::vector<UniqueFd> dying;
    {
      const Standstill standstill(place);
      for (const pid_t pid : TRY(pids_below(place.path()))) {
        UniqueFd pidfd = open_pidfd(pid);
        if (!pidfd) continue;
        send(pidfd, SIGKILL);
        dying.push_back(std::move(pidfd));
      }
    }
    if (dying.empty()) return {};
    TRY(wait_for_end(dying, place, deadline));
  }
}

// A process that has just died leaves its cgroups a moment after its parent was
// told. v2 has an event for it; v1 has none, so it is asked again soon.
Result<void> remove_when_left(const CgroupPlace& place, Deadline deadline) {
  Result<void> removed = remove_cgroup(place.path());
  for (int pause = 1; !removed && removed.error().code == EBUSY; pause = std::min(2 * pause, 50)) {
    if (milliseconds_until(deadline) == 0 || !TRY(pids_below(place.path())).empty()) return removed;
    if (place.name.empty())
      TRY(wait_for_event(place.path(), "populated", '0', deadline));
    else
      (void)::poll(nullptr, 0, pause);
    removed = remove_cgroup(place.path());
  }
  return removed;
}

}  // namespace

// The kernel kills the whole subtree at once, also what forks meanwhile.
Result<void> kill_tree(const CgroupPlace& place) {
  const Deadline deadline = after(kKillTime);
  // A pidfd tells of the end at once, cgroup.events up to 10 ms later.
  std::vector<UniqueFd> dying;
  for (const pid_t pid : TRY(pids_below(place.path())))
    if (dying.size() < 64) dying.push_back(open_pidfd(pid));
  std::erase_if(dying, [](const UniqueFd& fd) { return !fd; });
  auto killed = write_cgroup_file(place.path(), "cgroup.kill", "1");
  if (!killed && (killed.error().code == ENOENT || killed.error().code == ENODEV)) return {};
  TRY(std::move(killed));
  TRY(wait_for_end(dying, place, deadline));
  return wait_for_event(place.path(), "populated", '0', deadline);
}

Result<void> Cgroup::freeze() {
  const CgroupPlace* place = impl_->main_place();
  if (!can_freeze(place)) return no_freezer(place);
  TRY(set_frozen(*place, true));
  const Deadline deadline = after(kFreezeTime);
  Result<void> still = place->name.empty() ? wait_for_event(place->path(), "frozen", '1', deadline)
                                           : wait_frozen_v1(place->path(), deadline);
  if (!still) (void)set_frozen(*place, false);
  return still;
}

Result<void> Cgroup::thaw() {
  const CgroupPlace* place = impl_->main_place();
  if (!can_freeze(place)) return no_freezer(place);
  return set_frozen(*place, false);
}

Result<bool> Cgroup::frozen() const {
  const CgroupPlace* place = impl_->main_place();
  if (!can_freeze(place)) return false;
  const bool v2 = place->name.empty();
  auto state = read_cgroup_file(place->path(), v2 ? "cgroup.freeze" : "freezer.state");
  if (!state && (state.error().code == ENOENT || state.error().code == ENODEV)) return false;
  const std::string text = TRY(std::move(state));
  return v2 ? text.starts_with("1") : !text.starts_with("THAWED");
}

Result<std::vector<pid_t>> Cgroup::pids() const {
  const CgroupPlace* place = impl_->main_place();
  if (!place) return std::vector<pid_t>();
  return pids_below(place->path());
}

Result<void> Cgroup::signal_all(int number) {
  const CgroupPlace* place = impl_->main_place();
  if (!place) return Error{"the container has no cgroup", EOPNOTSUPP};
  for (const pid_t pid : TRY(pids_below(place->path()))) {
    // The pidfd first, then the look at where it is: a recycled pid is never hit.
    const UniqueFd pidfd = open_pidfd(pid);
    if (!pidfd) continue;
    const auto text = read_file("/proc/" + std::to_string(pid) + "/cgroup");
    if (!text) continue;
    const std::string found = membership(*text, place->name);
    if (found == place->relative || found.starts_with(place->relative + "/")) send(pidfd, number);
  }
  return {};
}

Result<void> Cgroup::kill_all() {
  const CgroupPlace* place = impl_->main_place();
  if (!place) return {};
  return place->name.empty() ? kill_tree(*place) : kill_each(*place, after(kKillTime));
}

Result<void> Cgroup::destroy() {
  if (!impl_->scope.unit.empty()) {
    // A systemd that does not answer in time must not keep what we can remove
    // ourselves: without processes and directory the scope ends by itself.
    const Result<void> stopped = stop_scope(impl_->scope.unit);
    if (!stopped && stopped.error().code != ETIMEDOUT) return stopped.error();
  }
  const Deadline deadline = after(kRemoveTime);
  for (const CgroupPlace& place : impl_->places) {
    Result<void> removed = remove_when_left(place, deadline);
    // A hierarchy that was not entered may hold something else of that name.
    if (place.joined) TRY(std::move(removed));
  }
  impl_->made.clear();
  impl_->fresh = false;
  return {};
}
