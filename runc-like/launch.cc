// SPDX-License-Identifier: Apache-2.0
#include "launch.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

#include "common/timestamp.h"

#include "hooks.h"
#include "host_mounts.h"
#include "init/protocol.h"
#include "log.h"
#include "net_devices.h"
#include "notify.h"
#include "table_names.h"

void Launched::keep() {
  init.child().release();
  cgroup.keep();
  container.keep();
}

std::string filter_cache(const std::string& root) {
  return root + "/.cache/seccomp";
}

Result<Spec> load_spec(const std::string& path, std::string& text, const std::string& root) {
  text = TRY(read_file(path));
  Spec spec = TRY(parse_spec("config.json", text,
                             root.empty() ? KnownFilter() : filters_in(filter_cache(root))));
  for (const std::string& warning : spec.warnings) log_warning(warning);
  return spec;
}

Result<HostFacts> host_facts(const CgroupLayout& layout, const Cgroup* cgroup) {
  HostFacts facts;
  facts.cgroups = layout;
  if (cgroup != nullptr) facts.cgroup_dirs = cgroup->paths();
  facts.user_namespace = ::geteuid() != 0;
  if (!facts.user_namespace) {
    // The initial user namespace maps every id onto itself.
    const auto map = read_file("/proc/self/uid_map", 4096);
    facts.user_namespace = map && map->find("4294967295") == std::string::npos;
  }
  return facts;
}

PlanOptions plan_options(const LaunchOptions& options, const Spec& spec) {
  PlanOptions out;
  out.id = options.id;
  out.bundle = options.bundle;
  out.rootfs = spec.root.starts_with('/') ? spec.root : options.bundle + "/" + spec.root;
  out.wait_for_start = options.wait_for_start;
  out.console = spec.process && spec.process->terminal;
  out.no_pivot = options.no_pivot;
  out.no_new_keyring = options.no_new_keyring;
  out.listen_fds = listen_fds();
  out.kept_descriptors = options.preserve_fds + out.listen_fds;
  return out;
}

Result<std::optional<SeccompProgram>> compile_filter(const Spec& spec, const std::string& root) {
  if (!spec.seccomp) return std::optional<SeccompProgram>();
  SeccompProgram program = TRY(compile_seccomp(*spec.seccomp, filter_cache(root)));
  for (const std::string& warning : program.warnings) log_warning(warning);
  return std::optional<SeccompProgram>(std::move(program));
}

namespace {

Result<std::string> checked_rootfs(const std::string& path) {
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0)
    return errno_error("open rootfs", path, "the bundle needs the directory that /root/path names")
        .at_field("/root/path");
  if (S_ISLNK(info.st_mode))
    return Error{"invalid rootfs: not an absolute path, or a symlink: '" + path + "'", 0, "",
                 "/root/path"};
  if (!S_ISDIR(info.st_mode)) return Error{"rootfs '" + path + "'", ENOTDIR, "", "/root/path"};
  return real_path(path);
}

// For the socket that `start` makes; empty when nobody waits to be told.
Result<std::string> notify_directory(const Container& container) {
  const char* host = ::getenv("NOTIFY_SOCKET");
  if (host == nullptr || *host == '\0') return std::string();
  if (::mkdirat(container.directory().get(), kNotifyDirectory, 0755) != 0)
    return errno_error("make directory", kNotifyDirectory);
  return container.path() + "/" + kNotifyDirectory;
}

// Everything between the state directory and a running init.
class Launcher {
 public:
  Launcher(LaunchOptions& options, const EventLog& events) : options_(options), events_(events) {}

  Result<Launched> run();

 private:
  Result<Cgroup> make_cgroup(const Spec& spec, const CgroupLayout& layout) const;
  Result<SpawnGifts> gifts(const Container& container, CgroupDoor door, const Plan& plan) const;
  Result<void> settle(Launched& launched) const;
  Result<void> record(Launched& launched);
  Result<void> converse(Launched& launched);
  Result<void> answer(Launched& launched, const wire::Packet& packet);
  Result<void> publish(const Launched& launched) const;
  Result<void> bring_up(Launched& launched);
  void undo_hooks(Launched& launched) const;

  LaunchOptions& options_;
  const EventLog& events_;
  wire::State state_ = wire::State::Cloned;
  bool hooks_ran_ = false;
};

Result<Cgroup> Launcher::make_cgroup(const Spec& spec, const CgroupLayout& layout) const {
  CgroupRequest request;
  request.manager = options_.manager;
  request.path = spec.cgroups_path;
  request.id = options_.id;
  request.optional = ::geteuid() != 0 && spec.cgroups_path.empty();
  constexpr std::string_view kProperty = "org.systemd.property.";
  for (const auto& [key, value] : spec.annotations)
    if (key.starts_with(kProperty)) request.properties[key.substr(kProperty.size())] = value;
  Cgroup cgroup = TRY(Cgroup::create(layout, request));
  TRY(cgroup.apply(spec.resources));
  return cgroup;
}

Result<SpawnGifts> Launcher::gifts(const Container& container, CgroupDoor door,
                                   const Plan& plan) const {
  SpawnGifts out;
  out.cgroup = std::move(door.directory);
  out.cgroup_tasks = std::move(door.tasks);
  if (options_.wait_for_start)
    out.listener = TRY(bind_socket(container.directory(), kPendingSocket));
  for (const Handed& handed : plan.handed)
    if (handed.what == Handed::What::ConsoleSocket)
      out.console = TRY(connect_stream(options_.console_socket));
  return out;
}

// What only the parent can do for the new process.
Result<void> Launcher::settle(Launched& launched) const {
  const pid_t pid = launched.init.child().pid();
  const Spec& spec = launched.spec;
  if (launched.plan.new_user) TRY(write_id_maps(pid, spec.uid_mappings, spec.gid_mappings));
  if (launched.plan.awaits_go) TRY(launched.cgroup.add(pid));  // else init enters by itself
  if (spec.process && spec.process->oom_score_adj) {
    const UniqueFd proc = TRY(open_directory("/proc/" + std::to_string(pid)));
    auto written =
        write_file_at(proc, "oom_score_adj", std::to_string(*spec.process->oom_score_adj));
    if (!written)
      return std::move(written).error().in("set oom_score_adj").at_field("/process/oomScoreAdj");
  }
  if (launched.plan.new_user) TRY(launched.init.tell(wire::Msg::Go));
  if (launched.plan.awaits_go) TRY(launched.init.tell(wire::Msg::Go));
  return {};
}

Result<void> Launcher::record(Launched& launched) {
  const Spec& spec = launched.spec;
  Record record;
  record.oci_version = spec.oci_version;
  record.id = options_.id;
  record.bundle = options_.bundle;
  record.rootfs = spec.root;
  record.created = rfc3339_nano(now());
  record.pid = launched.init.child().pid();
  record.start_time = process_start_time(record.pid).value_or(0);
  record.owner = ::geteuid();
  record.annotations = spec.annotations;
  for (const NamespaceSpec& ns : spec.namespaces) record.namespaces |= ns.flag;
  record.cgroup = launched.cgroup.to_json();
  record.plain_start = !launched.plan.listener && !spec.hooks.contains(HookKind::Poststart);
  for (std::size_t i = 0; i < launched.plan.steps.size(); ++i)
    if (launched.plan.steps[i].step.op == wire::Op::Ready)
      record.ready_step = static_cast<unsigned>(i);
  return launched.container.write(record);
}

Result<void> Launcher::answer(Launched& launched, const wire::Packet& packet) {
  if (packet.msg == wire::Msg::Failed) return step_error(launched.plan, packet);
  if (!wire::allowed(state_, wire::From::Init, packet.msg, &state_))
    return Error{
        "init said something unexpected: message " + std::to_string(static_cast<int>(packet.msg)),
        EPROTO};
  if (packet.msg == wire::Msg::Forked) {
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, packet.value, 0)));
    if (!pidfd) return errno_error("open a pidfd of", std::to_string(packet.value));
    launched.init.replace(ChildProcess(packet.value, std::move(pidfd)));
    return record(launched);
  }
  if (packet.msg != wire::Msg::Hooks) return {};
  const OciState state = oci_state(launched.container.record(), Status::Creating);
  TRY(move_net_devices(launched.spec.net_devices, launched.container.record().pid));
  hooks_ran_ = true;
  TRY(run_hooks(launched.spec, HookKind::Prestart, state));
  TRY(run_hooks(launched.spec, HookKind::CreateRuntime, state));
  (void)wire::allowed(state_, wire::From::Parent, wire::Msg::HooksDone, &state_);
  return launched.init.tell(wire::Msg::HooksDone);
}

Error died(Init& init) {
  const auto status = init.child().wait();
  const int code = status ? *status : 0;
  Error error{"container init ended before it was ready: exit status " + std::to_string(code)};
  if (code == 128 + SIGKILL) error.what += " (possibly OOM-killed; memory limit too low?)";
  return error;
}

Result<void> Launcher::converse(Launched& launched) {
  if (launched.plan.new_user || launched.plan.awaits_go)
    (void)wire::allowed(state_, wire::From::Parent, wire::Msg::Go, &state_);
  while (state_ != wire::State::Created) {
    const auto packet = TRY(launched.init.hear());
    if (!packet) return died(launched.init);
    TRY(answer(launched, *packet));
  }
  return {};
}

// From here on the world may know.
Result<void> Launcher::publish(const Launched& launched) const {
  const pid_t pid = launched.container.record().pid;
  if (!options_.pidfd_socket.empty()) {
    const UniqueFd socket = TRY(connect_stream(options_.pidfd_socket));
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    TRY(send_descriptor(socket, pidfd, "standard"));
  }
  const int dir = launched.container.directory().get();
  if (options_.wait_for_start && ::renameat(dir, kPendingSocket, dir, kStartSocket) != 0)
    return errno_error("rename socket", kPendingSocket);
  if (!options_.pid_file.empty()) TRY(write_pid_file(options_.pid_file, pid));
  return {};
}

// Children born from here on see the container's clocks; we return to ours.
class TimeNamespace {
 public:
  static Result<TimeNamespace> enter(const Spec& spec) {
    if (!spec.has_new(CLONE_NEWTIME)) return TimeNamespace(UniqueFd());
    UniqueFd before = TRY(open_at(kCwd, "/proc/self/ns/time", O_RDONLY));
    if (::unshare(CLONE_NEWTIME) != 0) return errno_error("unshare", "time namespace");
    std::string text;
    for (const TimeOffset& offset : spec.time_offsets)
      text += offset.clock + " " + std::to_string(offset.seconds) + " " +
              std::to_string(offset.nanoseconds) + "\n";
    if (!text.empty()) {
      auto written = write_file_at(kCwd, "/proc/self/timens_offsets", text);
      if (!written) return std::move(written).error().at_field("/linux/timeOffsets");
    }
    return TimeNamespace(std::move(before));
  }
  TimeNamespace(TimeNamespace&&) noexcept = default;
  TimeNamespace& operator=(TimeNamespace&&) = delete;
  ~TimeNamespace() {
    // To go on in the wrong one would be worse than to end.
    if (before_ && ::setns(before_.get(), CLONE_NEWTIME) != 0) ::abort();
  }

 private:
  explicit TimeNamespace(UniqueFd before) : before_(std::move(before)) {}
  UniqueFd before_;
};

Result<void> check_terminal(const Spec& spec, const LaunchOptions& options) {
  const bool terminal = spec.process && spec.process->terminal;
  if (terminal && options.console_socket.empty())
    return Error{"cannot allocate tty if runc will detach without setting console socket", 0,
                 "give --console-socket PATH", "/process/terminal"};
  if (!terminal && !options.console_socket.empty())
    return Error{"cannot use console socket if runc will not detach or allocate tty", 0, "",
                 "/process/terminal"};
  return {};
}

Result<void> Launcher::bring_up(Launched& launched) {
  TRY(settle(launched));
  if (!launched.plan.forks) TRY(record(launched));
  TRY(converse(launched));
  return publish(launched);
}

// A network that a createRuntime hook has set up is taken down again by poststop:
// the lifecycle of a container that failed goes on there.
void Launcher::undo_hooks(Launched& launched) const {
  ChildProcess& child = launched.init.child();
  (void)child.signal(SIGKILL);
  (void)child.wait();
  auto hooks = run_hooks(launched.spec, HookKind::Poststop,
                         oci_state(launched.container.record(), Status::Stopped));
  if (!hooks) log_warning(hooks.error().text());
}

Result<Launched> Launcher::run() {
  options_.bundle = TRY(real_path(options_.bundle));
  const std::string file =
      options_.config.starts_with('/') ? options_.config : options_.bundle + "/" + options_.config;
  std::string text;
  Spec spec = TRY(load_spec(file, text, options_.root));
  if (options_.offer_console && spec.process && spec.process->terminal)
    options_.console_socket = TRY(options_.offer_console());
  TRY(check_terminal(spec, options_));
  PlanOptions planned = plan_options(options_, spec);
  planned.rootfs = spec.root = TRY(checked_rootfs(planned.rootfs));
  const unsigned kept = planned.kept_descriptors;

  Container container = TRY(Container::create(options_.root, options_.id));
  TRY(write_file_at(container.directory(), "config.json", text));
  planned.notify_directory = TRY(notify_directory(container));
  auto program = TRY(compile_filter(spec, options_.root));
  const CgroupLayout layout = TRY(read_cgroup_layout());
  Cgroup cgroup = TRY(make_cgroup(spec, layout));
  CgroupDoor door = TRY(cgroup.door());
  HostFacts facts = TRY(host_facts(layout, &cgroup));
  facts.cgroup_tasks = door.tasks.size();
  facts.late_cgroup = options_.manager == CgroupManager::Systemd;
  Plan plan = TRY(plan_start(spec, planned, facts, program ? &*program : nullptr));
  for (const std::string& warning : plan.warnings) log_warning(warning);
  SpawnGifts gift = TRY(gifts(container, std::move(door), plan));
  std::optional<TimeNamespace> time = TRY(TimeNamespace::enter(spec));
  Init init = TRY(spawn_init(plan, std::move(gift), kept));
  time.reset();
  Launched launched{std::move(spec), std::move(container), std::move(cgroup),
                    std::move(init), std::move(plan),      std::move(program)};
  auto created = bring_up(launched);
  if (!created) {
    if (hooks_ran_) undo_hooks(launched);
    remove_host_mounts(launched.spec, launched.spec.root);
    return std::move(created).error();
  }
  events_.emit(options_.id, "create", launched.container.record().pid);
  return launched;
}

}  // namespace

Result<Launched> launch(LaunchOptions options, const EventLog& events) {
  return Launcher(options, events).run();
}
