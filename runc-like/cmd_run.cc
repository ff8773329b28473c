// SPDX-License-Identifier: Apache-2.0
// run: create, start, and unless detached wait, forwarding signals; then delete.
#include <sys/prctl.h>

#include <memory>

#include "foreground.h"
#include "hooks.h"
#include "verbs.h"

namespace {

Result<void> start_now(Launched& launched) {
  TRY(launched.init.tell(wire::Msg::Start));
  TRY(finish_start(launched.init, launched.program ? &*launched.program : nullptr,
                   launched.container.record(),
                   [&](const wire::Packet& packet) { return step_error(launched.plan, packet); }));
  return run_hooks(launched.spec, HookKind::Poststart,
                   oci_state(launched.container.record(), Status::Running));
}

}  // namespace

Result<int> cmd_run(const Arguments& arguments) {
  const EventLog events = events_of(arguments);
  LaunchOptions options = TRY(launch_options(arguments));
  options.wait_for_start = false;
  options.detach = arguments.options.flag("detach");
  const bool detach = options.detach;
  const std::string root = options.root;
  const std::string id = options.id;
  const bool keep = arguments.options.flag("keep");
  std::unique_ptr<Terminal> terminal;
  if (!detach && options.console_socket.empty()) {
    options.offer_console = [&terminal]() -> Result<std::string> {
      terminal = std::make_unique<Terminal>(TRY(Terminal::offer()));
      return terminal->socket_path();
    };
  }
  const Signals signals = TRY(Signals::take());
  if (!detach && !arguments.options.flag("no-subreaper")) (void)::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Launched launched = TRY(launch(std::move(options), events));
  if (terminal) TRY(terminal->accept());
  auto relay = TRY(NotifyRelay::bind(launched.container.directory()));
  auto started = start_now(launched);
  if (!started) {
    launched.keep();
    TRY(delete_container(launched.container, true, events));  // and its poststop hooks
    return std::move(started).error();
  }
  events.emit(launched.container.record().id, "start", launched.container.record().pid);
  launched.container.unlock();
  if (detach) {
    launched.keep();
    const auto process = launched.container.process();
    if (relay && process) TRY(relay->await_ready(*process, launched.container.record().pid));
    return 0;
  }
  const int status =
      TRY(wait_in_foreground(launched.init, signals, terminal.get(), relay ? &*relay : nullptr));
  terminal.reset();
  launched.keep();
  events.emit(launched.container.record().id, "exit", launched.container.record().pid,
              R"({"status":)" + std::to_string(status) + "}");
  if (keep) return status;
  // Somebody may have deleted it the moment it ended.
  auto again = Container::open(root, id, true);
  if (again) TRY(delete_container(*again, true, events));
  return status;
}
