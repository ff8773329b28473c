// SPDX-License-Identifier: Apache-2.0
// exec: one more process in a running container.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <memory>

#include "capability.h"
#include "foreground.h"
#include "log.h"
#include "verbs.h"

namespace {

Result<void> take_user(const Options& given, ProcessSpec& process) {
  if (const auto word = given.value("user")) {
    const UserWord user = TRY(parse_user_word(*word));
    process.user.uid = user.uid;
    if (user.gid) process.user.gid = *user.gid;
  }
  for (const std::string& word : given.values("additional-gids")) {
    const UserWord group = TRY(parse_user_word(word));
    if (group.gid) return Error{"--additional-gids: '" + word + "' is no group id"};
    process.user.groups.push_back(group.uid);
  }
  return {};
}

Result<void> take_capabilities(const Options& given, ProcessSpec& process) {
  for (const std::string& name : given.values("cap")) {
    const auto number = capability_number(name);
    if (!number) return Error{"--cap: unknown capability '" + name + "'"};
    Capabilities& sets =
        process.capabilities ? *process.capabilities : process.capabilities.emplace();
    const std::uint64_t bit = std::uint64_t{1} << *number;
    sets.bounding |= bit;
    sets.effective |= bit;
    sets.permitted |= bit;
  }
  return {};
}

// The process of the configuration, changed by what the command line says.
Result<ProcessSpec> process_of(const Arguments& arguments, const Spec& spec) {
  const Options& given = arguments.options;
  if (const auto file = given.value("process")) {
    std::vector<std::string> warnings;
    const std::string text = TRY(read_file(*file));
    ProcessSpec process = TRY(parse_process(*file, text, warnings));
    for (const std::string& warning : warnings) log_warning(warning);
    if (given.flag("tty")) process.terminal = true;
    return process;
  }
  if (arguments.positionals.size() < 2) return Error{"exec needs a command, or --process FILE"};
  if (!spec.process) return Error{"the container's configuration has no process to take after"};
  ProcessSpec process = *spec.process;
  process.args.assign(arguments.positionals.begin() + 1, arguments.positionals.end());
  process.terminal = given.value_or("tty", "false") == "true";
  if (const auto cwd = given.value("cwd")) process.cwd = *cwd;
  if (!process.cwd.starts_with('/')) return Error{"--cwd: must be an absolute path"};
  for (const std::string& entry : given.values("env")) process.env.push_back(entry);
  if (given.flag("no-new-privs")) process.no_new_privileges = true;
  if (const auto label = given.value("process-label")) process.selinux_label = *label;
  if (const auto profile = given.value("apparmor")) process.apparmor_profile = *profile;
  TRY(take_user(given, process));
  TRY(take_capabilities(given, process));
  return process;
}

Result<void> check_running(const Container& container, bool ignore_paused) {
  const Status status = container.status();
  if (status == Status::Stopped) return Error{"cannot exec in a stopped container"};
  if (status == Status::Creating) return Error{"cannot exec in a container that is being created"};
  if (status == Status::Paused && !ignore_paused)
    return Error{"cannot exec in a paused container (use --ignore-paused to override)"};
  return {};
}

// Until init stands at "ready"; then what only the parent can do for it.
Result<void> until_ready(Init& init, const Plan& plan, const ProcessSpec& process) {
  for (;;) {
    const auto packet = TRY(init.hear());
    if (!packet) {
      const int status = TRY(init.child().wait());
      return Error{"exec failed: init ended with status " + std::to_string(status)};
    }
    if (packet->msg == wire::Msg::Failed) return step_error(plan, *packet);
    if (packet->msg == wire::Msg::Ready) break;
    if (packet->msg != wire::Msg::Forked) return Error{"init said something unexpected", EPROTO};
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, packet->value, 0)));
    if (!pidfd) return errno_error("open a pidfd of", std::to_string(packet->value));
    init.replace(ChildProcess(packet->value, std::move(pidfd)));
  }
  if (!process.oom_score_adj) return {};
  auto written =
      write_file_at(kCwd, "/proc/" + std::to_string(init.child().pid()) + "/oom_score_adj",
                    std::to_string(*process.oom_score_adj));
  if (!written) return std::move(written).error().at_field("/process/oomScoreAdj");
  return {};
}

struct Joined {
  Init init;
  Plan plan;
  std::optional<SeccompProgram> program;
};

Result<Joined> join(const Container& container, const Spec& spec, const ProcessSpec& process,
                    const LaunchOptions& options, std::map<std::string, std::string> sub) {
  const auto pidfd = container.process();
  if (!pidfd) return Error{"cannot exec in a stopped container"};
  auto program = TRY(compile_filter(spec, options.root));
  const Cgroup cgroup = TRY(container.cgroup());
  CgroupDoor door = TRY(cgroup.door({.sub = std::move(sub), .beside = container.record().pid}));
  HostFacts facts;
  facts.cgroup_tasks = door.tasks.size();
  PlanOptions planned = plan_options(options, spec);
  planned.console = process.terminal;
  ExecTarget target;
  target.namespaces = container.record().namespaces;
  // Should the pid be another's by now, joining by pidfd fails.
  if ((target.namespaces & CLONE_NEWNS) == 0)
    target.root = "/proc/" + std::to_string(container.record().pid) + "/root";
  Plan plan = TRY(plan_exec(process, target, planned, facts, program ? &*program : nullptr));
  SpawnGifts gifts;
  gifts.cgroup = std::move(door.directory);
  gifts.cgroup_tasks = std::move(door.tasks);
  gifts.process = FdRef(*pidfd);
  if (process.terminal) gifts.console = TRY(connect_stream(options.console_socket));
  Init init = TRY(spawn_init(plan, std::move(gifts), planned.kept_descriptors));
  TRY(until_ready(init, plan, process));
  return Joined{std::move(init), std::move(plan), std::move(program)};
}

Result<void> begin(Joined& joined, const Record& record, const LaunchOptions& options) {
  const pid_t pid = joined.init.child().pid();
  if (!options.pidfd_socket.empty()) {
    const UniqueFd socket = TRY(connect_stream(options.pidfd_socket));
    TRY(send_descriptor(socket, joined.init.child().pidfd(), "setns"));
  }
  TRY(joined.init.tell(wire::Msg::Start));
  TRY(finish_start(joined.init, joined.program ? &*joined.program : nullptr, record,
                   [&](const wire::Packet& packet) { return step_error(joined.plan, packet); }));
  if (!options.pid_file.empty()) TRY(write_pid_file(options.pid_file, pid));
  return {};
}

// Below the container's cgroup, never beside it.
Result<std::string> path_below(const std::string& word, std::string_view path) {
  const std::string clean = clean_path("/" + std::string(path));
  if (path.find("..") != std::string_view::npos)
    return Error{"--cgroup: '" + word + "' leads out of the container's cgroup"};
  return clean == "/" ? std::string() : clean.substr(1);
}

// "ctrl[,ctrl]:path" for the hierarchies of v1, any number; or one path for all.
Result<std::map<std::string, std::string>> sub_cgroups(const std::vector<std::string>& words) {
  std::map<std::string, std::string> out;
  for (const std::string& word : words) {
    const std::size_t colon = word.find(':');
    if (colon == std::string::npos && words.size() != 1)
      return Error{"--cgroup: '" + word + "' names no controller, and is not the only one"};
    const bool named = colon != std::string::npos;
    const std::string path = TRY(path_below(word, word.substr(named ? colon + 1 : 0)));
    std::string_view controllers = std::string_view(word).substr(0, named ? colon : 0);
    for (bool more = true; more;) {
      const std::size_t comma = controllers.find(',');
      const std::string controller(controllers.substr(0, comma));
      if (named && controller.empty()) return Error{"--cgroup: '" + word + "': empty controller"};
      if (!out.emplace(controller, path).second)
        return Error{"--cgroup: controller '" + controller + "' is named twice"};
      more = comma != std::string_view::npos;
      if (more) controllers.remove_prefix(comma + 1);
    }
  }
  return out;
}

}  // namespace

Result<int> cmd_exec(const Arguments& arguments) {
  const Options& given = arguments.options;
  LaunchOptions options = TRY(launch_options(arguments));
  const Container container = TRY(Container::open(options.root, options.id));
  TRY(check_running(container, given.flag("ignore-paused")));
  std::string text;
  const Spec spec = TRY(load_spec(container.path() + "/config.json", text, options.root));
  const ProcessSpec process = TRY(process_of(arguments, spec));
  options.bundle = container.record().bundle;
  const bool detach = given.flag("detach");
  if (process.terminal && detach && options.console_socket.empty())
    return Error{"cannot allocate tty if runc will detach without setting console socket", 0,
                 "give --console-socket PATH"};
  std::unique_ptr<Terminal> terminal;
  if (process.terminal && options.console_socket.empty()) {
    terminal = std::make_unique<Terminal>(TRY(Terminal::offer()));
    options.console_socket = terminal->socket_path();
  }
  const Signals signals = TRY(Signals::take());
  auto sub = TRY(sub_cgroups(given.values("cgroup")));
  Joined joined = TRY(join(container, spec, process, options, std::move(sub)));
  if (terminal) TRY(terminal->accept());
  TRY(begin(joined, container.record(), options));
  if (detach) {
    joined.init.child().release();
    return 0;
  }
  return wait_in_foreground(joined.init, signals, terminal.get());
}
