// SPDX-License-Identifier: Apache-2.0
// kill and delete.
#include <poll.h>
#include <regex.h>
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

namespace {

// A POSIX extended regular expression, anywhere in the id, as crun has it.
Result<std::vector<std::string>> matching_ids(const std::string& root, const std::string& pattern) {
  regex_t expression = {};
  if (::regcomp(&expression, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return Error{"--regex: '" + pattern + "' is no regular expression"};
  auto ids = list_containers(root);
  if (ids)
    std::erase_if(*ids, [&](const std::string& id) {
      return ::regexec(&expression, id.c_str(), 0, nullptr, 0) != 0;
    });
  ::regfree(&expression);
  return ids;
}

Result<void> send(const Container& container, int number, bool all) {
  const auto process = container.process();
  const Error gone{"container not running"};
  if (all) {
    Cgroup cgroup = TRY(container.cgroup());
    if (cgroup.exists()) return cgroup.signal_all(number);
    if (!process) return {};
  }
  if (!process) return gone;
  if (::syscall(SYS_pidfd_send_signal, process->get(), number, nullptr, 0) != 0)
    return errno == ESRCH ? gone : errno_error("signal container", container.record().id);
  // A frozen process would never see it.
  if (number == SIGKILL && container.status() == Status::Paused) {
    Cgroup cgroup = TRY(container.cgroup());
    TRY(cgroup.thaw());
  }
  return {};
}

// All of them, whatever one says; the first error is the answer.
template <class Action>
Result<int> for_each_match(const Arguments& arguments, const Action& action) {
  const std::string root = root_of(arguments);
  Result<void> first;
  for (const std::string& id : TRY(matching_ids(root, arguments.positionals[0]))) {
    auto done = action(root, id);
    if (!done && first) first = std::move(done);
  }
  TRY(std::move(first));
  return 0;
}

}  // namespace

Result<int> cmd_kill(const Arguments& arguments) {
  const std::string word =
      arguments.positionals.size() > 1 ? arguments.positionals[1] : std::string("TERM");
  const bool all = arguments.options.flag("all");
  const auto number = signal_number(word);
  if (!arguments.options.flag("regex")) {
    const Container container = TRY(Container::open(root_of(arguments), arguments.positionals[0]));
    if (!number) return Error{"unknown signal '" + word + "'" + did_you_mean(kSignals, word)};
    TRY(send(container, *number, all));
    return 0;
  }
  if (!number) return Error{"unknown signal '" + word + "'" + did_you_mean(kSignals, word)};
  return for_each_match(arguments, [&](const std::string& root, const std::string& id) {
    auto container = Container::open(root, id);
    if (!container) return Result<void>(std::move(container).error());
    return send(*container, *number, all);
  });
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
  const auto delete_one = [&](const std::string& root, const std::string& id) -> Result<void> {
    auto container = Container::open(root, id, true);
    // Gone is what --force asks for.
    if (!container && force && container.error().what.starts_with("container does not exist"))
      return {};
    if (!container) return std::move(container).error();
    return delete_container(*container, force, events);
  };
  if (arguments.options.flag("regex")) return for_each_match(arguments, delete_one);
  TRY(delete_one(root_of(arguments), arguments.positionals[0]));
  return 0;
}
