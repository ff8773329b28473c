// SPDX-License-Identifier: Apache-2.0
// start: lets init go on, and learns from it whether the program could be executed.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hooks.h"
#include "notify.h"
#include "verbs.h"

namespace {

Result<void> check_startable(Status status) {
  if (status == Status::Created) return {};
  if (status == Status::Stopped) return Error{"cannot start a container that has stopped"};
  if (status == Status::Running) return Error{"cannot start an already running container"};
  return Error{"cannot start a container in the " + std::string(status_name(status)) + " state"};
}

// The plan again, from the configuration as it was at create. The steps of `start`
// follow "ready" in the same order whatever the facts: counted from there, both
// plans agree.
Result<void> explain_failure(const Container& container, const wire::Packet& packet,
                             const std::string& root) {
  LaunchOptions options;
  options.id = container.record().id;
  options.bundle = container.record().bundle;
  std::string text;
  const Spec spec = TRY(load_spec(container.path() + "/config.json", text, root));
  const auto program = TRY(compile_filter(spec, root));
  const CgroupLayout layout = TRY(read_cgroup_layout());
  const HostFacts facts = TRY(host_facts(layout, nullptr));
  const Plan plan =
      TRY(plan_start(spec, plan_options(options, spec), facts, program ? &*program : nullptr));
  wire::Packet moved = packet;
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (plan.steps[i].step.op == wire::Op::Ready)
      moved.step = static_cast<std::uint16_t>(packet.step + i - container.record().ready_step);
  return step_error(plan, moved);
}

// What only some containers have: a listener to hand over, hooks to run afterwards.
struct Extras {
  std::optional<Spec> spec;
  std::optional<SeccompProgram> program;
};

Result<Extras> load_extras(const Container& container, const std::string& root) {
  Extras out;
  if (container.record().plain_start) return out;
  std::string text;
  out.spec = TRY(load_spec(container.path() + "/config.json", text, root));
  out.program = TRY(compile_filter(*out.spec, root));
  return out;
}

Result<void> start_init(const Container& container, const std::string& root, const Extras& extras) {
  std::optional<UniqueFd> pidfd = container.process();
  if (!pidfd) return Error{"cannot start a container that has stopped"};
  UniqueFd socket = TRY(connect_socket(container.directory(), kStartSocket));
  if (::unlinkat(container.directory().get(), kStartSocket, 0) != 0)
    return errno_error("remove socket", kStartSocket);
  Init init(ChildProcess(container.record().pid, std::move(*pidfd)), std::move(socket));
  auto started = init.tell(wire::Msg::Start);
  if (started)
    started = finish_start(init, extras.program ? &*extras.program : nullptr, container.record(),
                           [&](const wire::Packet& packet) {
                             return explain_failure(container, packet, root).error();
                           });
  init.child().release();  // not ours to kill when this fails: `delete` decides
  return started;
}

// One that fails ends the container.
Result<void> run_poststart(const Container& container, const Extras& extras) {
  if (!extras.spec) return {};
  auto hooks =
      run_hooks(*extras.spec, HookKind::Poststart, oci_state(container.record(), Status::Running));
  const auto process = container.process();
  if (!hooks && process)
    (void)::syscall(SYS_pidfd_send_signal, process->get(), SIGKILL, nullptr, 0);
  return hooks;
}

}  // namespace

Result<int> cmd_start(const Arguments& arguments) {
  const EventLog events = events_of(arguments);
  const std::string root = root_of(arguments);
  Container container = TRY(Container::open(root, arguments.positionals[0], true));
  TRY(check_startable(container.status_but_paused()));
  const Extras extras = TRY(load_extras(container, root));
  auto relay = TRY(NotifyRelay::bind(container.directory()));
  TRY(start_init(container, root, extras));
  events.emit(container.record().id, "start", container.record().pid);
  TRY(run_poststart(container, extras));
  const auto process = container.process();
  if (!relay || !process) return 0;
  container.unlock();
  TRY(relay->await_ready(*process, container.record().pid));
  return 0;
}
