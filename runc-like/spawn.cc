// SPDX-License-Identifier: Apache-2.0
#include "spawn.h"

#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "clone.h"
#include "embedded_init.h"

void Init::replace(ChildProcess child) {
  // The first one has ended or is about to: destroying it reaps it.
  child_.~ChildProcess();
  new (&child_) ChildProcess(std::move(child));
}

Result<void> Init::tell(wire::Msg msg) {
  const wire::Packet packet = {msg, 0, 0, 0, 0};
  if (::send(socket_.get(), &packet, sizeof packet, MSG_NOSIGNAL) != sizeof packet)
    return errno_error("write to", "init");
  return {};
}

Result<std::optional<wire::Packet>> Init::hear() {
  wire::Packet packet = {};
  ssize_t n = 0;
  do {
    n = ::recv(socket_.get(), &packet, sizeof packet, 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno != ECONNRESET) return errno_error("read from", "init");
  if (n <= 0) return std::optional<wire::Packet>();
  if (n != sizeof packet) return Error{"read from 'init': a packet of the wrong size", EPROTO};
  return std::optional<wire::Packet>(packet);
}

namespace {

Result<UniqueFd> create_memory(const char* name, bool executable) {
  constexpr unsigned kExec = 0x10;  // MFD_EXEC, 6.3; older kernels know no other kind
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd(::memfd_create(name, executable ? flags | kExec : flags));
  if (!fd && errno == EINVAL) fd.reset(::memfd_create(name, flags));
  if (!fd) return errno_error("create memory", name);
  return fd;
}

// Nobody, not even the writer, can change it any more.
Result<void> fill_and_seal(const UniqueFd& fd, const char* name, std::string_view content) {
  TRY(write_all(fd, content, name));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) return errno_error("seal memory", name);
  return {};
}

struct Conversation {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<Conversation> make_conversation() {
  std::array<int, 2> fds = {};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0)
    return errno_error("create", "socket pair");
  return Conversation{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<UniqueFd> open_handed(const Handed& handed, SpawnGifts& gifts, std::size_t& tasks) {
  switch (handed.what) {
    case Handed::What::Tree:
      return open_tree_for(handed);
    case Handed::What::Directory:
      return open_directory(handed.path);
    case Handed::What::Namespace:
      return open_at(kCwd, handed.path, O_RDONLY);
    case Handed::What::CgroupTasks:
      return std::move(gifts.cgroup_tasks.at(tasks++));
    case Handed::What::ConsoleSocket:
      return std::move(gifts.console);
    case Handed::What::Process: {
      UniqueFd copy(::fcntl(gifts.process->get(), F_DUPFD_CLOEXEC, 3));
      if (!copy) return errno_error("duplicate", "pidfd");
      return copy;
    }
  }
  return Error{"internal: unknown descriptor"};
}

// Everything the child needs, in one place: after clone it shares our memory.
struct Launch {
  std::array<const char*, 4> argv = {};
  const int* source = nullptr;  // descriptor of each slot, or -1
  int count = 0;
  int first = 0;
  int program = -1;
  int sync = -1;
  int kept = 0;  // descriptors 3 to 2 + kept go on to the container
  bool await_maps = false;
};

// Runs in the child, perhaps in the parent's memory: system calls only.
int become_init(void* argument) {
  const Launch& launch = *static_cast<const Launch*>(argument);
  if (launch.await_maps) {
    // A death of the parent ends the wait: the other end is his alone.
    wire::Packet packet = {};
    if (::read(launch.sync, &packet, sizeof packet) != sizeof packet) return 1;
    if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) return 1;
  }
  for (int i = 0; i < launch.count; ++i)
    if (launch.source[i] >= 0 && ::dup3(launch.source[i], launch.first + i, 0) < 0) return 1;
  for (int fd = 3; fd < 3 + launch.kept; ++fd)
    if (::fcntl(fd, F_SETFD, 0) != 0) return 1;
  const std::array<char*, 1> env = {nullptr};
  ::syscall(SYS_execveat, launch.program, "", launch.argv.data(), env.data(), AT_EMPTY_PATH);
  return 127;
}

Result<std::vector<UniqueFd>> open_all(const Plan& plan, SpawnGifts& gifts) {
  std::vector<UniqueFd> out;
  std::size_t tasks = 0;
  for (const Handed& handed : plan.handed) {
    auto fd = open_handed(handed, gifts, tasks);
    if (!fd) return std::move(fd).error().at_field(handed.field);
    out.push_back(std::move(*fd));
  }
  return out;
}

bool runs_hooks(const Plan& plan) {
  return std::ranges::any_of(plan.steps,
                             [](const PlannedStep& s) { return s.step.op == wire::Op::Hook; });
}

}  // namespace

Result<Init> spawn_init(const Plan& plan, SpawnGifts gifts, unsigned kept) {
  const UniqueFd program = TRY(create_memory("init", true));
  TRY(fill_and_seal(program, "init", embedded_init()));
  const UniqueFd memory = TRY(create_memory("plan", false));
  Conversation talk = TRY(make_conversation());
  const std::vector<UniqueFd> handed = TRY(open_all(plan, gifts));
  UniqueFd null;
  if (runs_hooks(plan)) null = TRY(open_at(kCwd, "/dev/null", O_RDWR));

  // Slots lie above every descriptor in use, so that none is overwritten.
  std::vector<int> source = {talk.theirs.get(), gifts.listener.get(), null.get(), memory.get(),
                             program.get()};
  for (const UniqueFd& fd : handed) source.push_back(fd.get());
  const int highest = std::max(*std::ranges::max_element(source), static_cast<int>(kept) + 2);
  Launch launch;
  launch.first = highest + 1;
  const std::string block = plan.serialise(launch.first, kept, static_cast<bool>(gifts.listener));
  TRY(fill_and_seal(memory, "plan", block));

  const std::string number = std::to_string(launch.first + wire::kPlan);
  const std::string size = std::to_string(block.size());
  launch.argv = {"init", number.c_str(), size.c_str(), nullptr};
  launch.source = source.data();
  launch.count = static_cast<int>(source.size());
  launch.program = program.get();
  launch.sync = talk.theirs.get();
  launch.kept = static_cast<int>(kept);
  launch.await_maps = plan.new_user;
  CloneRequest request;
  request.flags = plan.clone_flags;
  request.cgroup = gifts.cgroup.get();
  // Who shares his memory, even with a child about to execute init, cannot return to
  // his own time namespace (setns(2), EUSERS).
  request.share_memory = !plan.new_user && !plan.new_time;
  ChildProcess child = TRY(clone_child(request, become_init, &launch));
  return Init(std::move(child), std::move(talk.ours));
}

Result<UniqueFd> open_tree_for(const Handed& handed) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (handed.recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U) |
                         (handed.follow ? 0U : static_cast<unsigned>(AT_SYMLINK_NOFOLLOW));
  UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, handed.path.c_str(), flags)));
  if (!tree) return errno_error("open mount source", handed.path);
  if (handed.only_procfs) {
    struct statfs fs = {};
    if (::fstatfs(tree.get(), &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC)
      return Error{"\"/proc\" cannot be mounted from '" + handed.path +
                   "': it is not of type proc"};
  }
  if (!handed.uid_mappings.empty()) {
    const UniqueFd owner = TRY(user_namespace_with(handed.uid_mappings, handed.gid_mappings));
    const unsigned all = handed.idmap_all ? static_cast<unsigned>(AT_RECURSIVE) : 0U;
    mount_attr map = {};
    map.attr_set = MOUNT_ATTR_IDMAP;
    map.userns_fd = static_cast<__u64>(owner.get());
    if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | all, &map, sizeof map) != 0)
      return errno_error("map the ids of mount source", handed.path,
                         errno == EINVAL ? "its file system may not support idmapped mounts" : "");
  }
  if (handed.propagation == 0) return tree;
  mount_attr propagation = {};
  propagation.propagation = static_cast<__u64>(handed.propagation);
  if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &propagation,
                sizeof propagation) != 0)
    return errno_error("set propagation of mount source", handed.path);
  return tree;
}
