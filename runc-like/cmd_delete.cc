// SPDX-License-Identifier: Apache-2.0
// kill and delete.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <charconv>

#include "hooks.h"
#include "host_mounts.h"
#include "log.h"
#include "table_names.h"
#include "verbs.h"

std::optional<int> signal_number(std::string_view word) {
  if (const auto number = parse_integer(word))
    return *number >= 0 && *number <= 64 ? std::optional<int>(static_cast<int>(*number))
                                         : std::nullopt;
  std::string name(word);
  for (char& c : name)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (const SignalName* row = find_row(kSignals, name)) return row->number;
  // SIGRTMIN+3, SIGRTMAX-1: numbers as the C library counts them.
  const bool low = name.starts_with("RTMIN");
  if (!low && !name.starts_with("RTMAX")) return std::nullopt;
  const int base = low ? 34 : 64;
  if (name.size() == 5) return base;
  if (name[5] != (low ? '+' : '-')) return std::nullopt;
  const auto offset = parse_integer(std::string_view(name).substr(6));
  if (!offset || *offset < 0 || *offset > 30) return std::nullopt;
  return low ? base + static_cast<int>(*offset) : base - static_cast<int>(*offset);
}

Result<int> cmd_kill(const Arguments& arguments) {
  const Container container = TRY(Container::open(root_of(arguments), arguments.positionals[0]));
  const std::string word =
      arguments.positionals.size() > 1 ? arguments.positionals[1] : std::string("TERM");
  const auto number = signal_number(word);
  if (!number) return Error{"unknown signal '" + word + "'" + did_you_mean(kSignals, word)};
  const auto process = container.process();
  const Error gone{"container not running"};
  if (arguments.options.flag("all")) {
    Cgroup cgroup = TRY(container.cgroup());
    if (cgroup.exists()) {
      TRY(cgroup.signal_all(*number));
      return 0;
    }
    if (!process) return 0;
  }
  if (!process) return gone;
  if (::syscall(SYS_pidfd_send_signal, process->get(), *number, nullptr, 0) != 0)
    return errno == ESRCH ? gone : errno_error("signal container", container.record().id);
  // A frozen process would never see it.
  if (*number == SIGKILL && container.status() == Status::Paused) {
    Cgroup cgroup = TRY(container.cgroup());
    TRY(cgroup.thaw());
  }
  return 0;
}

namespace {

// Until it has ended, however long that takes the kernel: no clock, no polling.
void await_end(FdRef pidfd) {
  pollfd wait = {pidfd.get(), POLLIN, 0};
  while (::poll(&wait, 1, 30'000) < 0 && errno == EINTR) {
  }
}

Result<void> stop(Container& container, Cgroup* cgroup) {
  const auto process = container.process();
  if (process) (void)::syscall(SYS_pidfd_send_signal, process->get(), SIGKILL, nullptr, 0);
  if (cgroup != nullptr && cgroup->exists()) TRY(cgroup->kill_all());
  if (process) await_end(*process);
  return {};
}

void finish_lifecycle(const Container& container) {
  const auto text = read_file_at(container.directory(), "config.json");
  if (!text) return;
  const auto spec = parse_spec("config.json", *text);
  if (!spec) return;
  remove_host_mounts(*spec, container.record().rootfs);
  // Errors are told, and the removal goes on: so the specification has it.
  auto hooks = run_hooks(*spec, HookKind::Poststop, oci_state(container.record(), Status::Stopped));
  if (!hooks) log_warning(hooks.error().text());
}

}  // namespace

Result<void> delete_container(Container& container, bool force, const EventLog& events) {
  const Status status = container.complete() ? container.status_but_paused() : Status::Stopped;
  if (status != Status::Stopped && status != Status::Created && !force)
    return Error{"cannot delete container " + container.record().id +
                     " that is not stopped: " + std::string(status_name(status)),
                 0, "stop it first, or use --force"};
  if (container.complete()) {
    auto cgroup = container.cgroup();
    TRY(stop(container, cgroup ? &*cgroup : nullptr));
    if (cgroup) TRY(cgroup->destroy());
    finish_lifecycle(container);
  }
  TRY(container.remove());
  events.emit(container.record().id, "delete");
  return {};
}

Result<int> cmd_delete(const Arguments& arguments) {
  const bool force = arguments.options.flag("force");
  const EventLog events = events_of(arguments);
  auto container = Container::open(root_of(arguments), arguments.positionals[0], true);
  // Gone is what --force asks for.
  if (!container && force && container.error().what.starts_with("container does not exist"))
    return 0;
  if (!container) return std::move(container).error();
  TRY(delete_container(*container, force, events));
  return 0;
}
