// SPDX-License-Identifier: Apache-2.0
// wait.cc - `shim wait` and `shim stop`.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>

#include "duration.h"
#include "run.h"
#include "seen_container.h"
#include "state_dir.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr Option kStateDir = {"state-dir", 0, Kind::Value, "DIR",
                              "where running shims show their state (/run/shim)"};
constexpr auto kWaitTable = std::to_array<Option>({
    kStateDir,
    {"each", 0, Kind::Flag, "", "print ID and status of each as it ends"},
    {"any", 0, Kind::Flag, "", "print ID and status of the first that ends, and be done"},
});
constexpr auto kStopTable = std::to_array<Option>({
    kStateDir,
    {"signal", 's', Kind::Value, "SIGNAL", "SIGTERM, SIGINT or SIGQUIT (SIGTERM)"},
    {"time", 't', Kind::Value, "TIME", "kill what runs on after that (10s)"},
});

struct Waited {
  std::string id;
  SeenState state;
  UniqueFd shim;  // a pidfd
};

Result<std::vector<Waited>> open_all(const Arguments& arguments) {
  std::vector<Waited> all;
  for (const std::string& id : arguments.positionals) {
    SeenState state = TRY(SeenState::open(state_root(arguments.options), id));
    UniqueFd shim = shim_of(state);
    all.push_back({id, std::move(state), std::move(shim)});
  }
  return all;
}

// Prints it, or on standard error why nobody knows it.
int print_exit(const Waited& waited, bool with_id) {
  const auto status = waited.state.wait_exit();
  const std::string before = with_id ? waited.id + " " : "";
  if (status)
    std::printf("%s%d\n", before.c_str(), *status);
  else
    std::fprintf(stderr, "shim: wait: %s\n", status.error().text().c_str());
  std::fflush(stdout);
  return status ? *status : 1;
}

// In the order in which they end, by the pidfds of their shims.
Result<int> wait_as_they_end(std::vector<Waited> all, bool first_only) {
  int status = 0;
  while (!all.empty()) {
    std::vector<pollfd> ends;
    for (const Waited& waited : all) ends.push_back({waited.shim.get(), POLLIN, 0});
    // Who has no pidfd has no shim any more, and so no need to wait.
    const bool gone = std::ranges::any_of(all, [](const Waited& waited) { return !waited.shim; });
    if (::poll(ends.data(), ends.size(), gone ? 0 : -1) < 0) {
      if (errno == EINTR) continue;
      return errno_error("poll", "shims");
    }
    for (std::size_t i = all.size(); i-- > 0;) {
      if (all[i].shim && ends[i].revents == 0) continue;
      status = print_exit(all[i], true);
      if (first_only) return status;
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return status;
}

// Until the shim has gone, or the time has come. A container that runs on is killed.
Result<void> wait_or_kill(const Waited& waited, std::chrono::steady_clock::time_point until) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  pollfd end = {waited.shim.get(), POLLIN, 0};
  const int wait = static_cast<int>(std::clamp<long>(left.count(), 0, INT_MAX));
  if (::poll(&end, 1, wait) != 0) return {};
  const SeenContainer container = TRY(describe_container(waited.state, waited.id));
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, container.pid, 0)));
  // Asked again now, so that the pidfd is the container's and not that of a later process.
  const SeenContainer again = TRY(describe_container(waited.state, waited.id));
  if (process && again.status == "running" && again.pid == container.pid)
    (void)::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  return {};
}

}  // namespace

const std::span<const Option> kWaitOptions = kWaitTable;
const std::span<const Option> kStopOptions = kStopTable;

// Prints the statuses in the order of the ids, each as soon as it is known. As a
// shell's wait, it ends with that of the last one.
Result<int> cmd_wait(const Arguments& arguments) {
  std::vector<Waited> all = TRY(open_all(arguments));
  const bool any = arguments.options.flag("any");
  if (any || arguments.options.flag("each")) return wait_as_they_end(std::move(all), any);
  int status = 0;
  for (const Waited& waited : all) status = print_exit(waited, false);
  return status;
}

Result<int> cmd_stop(const Arguments& arguments) {
  const std::string name = arguments.options.value_or("signal", "SIGTERM");
  const int number = name == "SIGTERM" ? SIGTERM : name == "SIGINT" ? SIGINT : SIGQUIT;
  if (number == SIGQUIT && name != "SIGQUIT")
    return Error{"'" + name + "' does not stop a container here", 0,
                 "use SIGTERM, SIGINT or SIGQUIT"};
  const auto time = TRY(duration_of(arguments.options, "time", std::chrono::seconds(10)));
  const std::vector<Waited> all = TRY(open_all(arguments));
  for (const Waited& waited : all) {
    if (!waited.shim) return Error{"'" + waited.id + "' has no shim any more", ESRCH};
    if (::syscall(SYS_pidfd_send_signal, waited.shim.get(), number, nullptr, 0) != 0)
      return errno_error("signal shim of", waited.id);
  }
  const auto until = std::chrono::steady_clock::now() + time;
  for (const Waited& waited : all) TRY(wait_or_kill(waited, until));
  for (const Waited& waited : all) TRY(waited.state.wait_exit());
  return 0;
}
