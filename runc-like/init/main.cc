// SPDX-License-Identifier: Apache-2.0
// main.cc - entry, the loop over the steps, and the conversation with the parent.
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/socket.h>

#include "init.h"

namespace init {

char g_path[4096];
char g_buffer[65536];

namespace {

struct KernelSigaction {
  void* handler;
  unsigned long flags;
  void* restorer;
  uint64_t mask;
};

[[noreturn]] void leave(int status) noexcept {
  for (;;) (void)call(__NR_exit_group, status);
}

// What the caller of the runtime ignored or blocked is not the container's business.
void default_signals() noexcept {
  const KernelSigaction normal = {};
  for (int number = 1; number <= 64; ++number)
    (void)call(__NR_rt_sigaction, number, &normal, nullptr, sizeof(uint64_t));
  const uint64_t none = 0;
  (void)call(__NR_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(uint64_t));
}

}  // namespace

void Init::start_clean() noexcept {
  (void)call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)call(__NR_close_range, 3 + header_->kept, ~0U, CLOSE_RANGE_CLOEXEC);
  default_signals();
  umask_ = static_cast<uint32_t>(call(__NR_umask, 0));
}

void Init::run() noexcept {
  start_clean();
  const Step* steps = reinterpret_cast<const Step*>(base_ + header_->steps);
  for (unsigned i = 0; i < header_->step_count; ++i) {
    detail_ = wire::kPlain;
    const long error = perform(steps[i]);
    if (error < 0) fail(i, -error, detail_);
  }
  leave(1);  // not reached: the last step is Execute, which fails or never returns
}

long Init::perform(const Step& step) noexcept {
  using wire::Op;
  // The switch is split in four by theme, for the reader.
  if (step.op <= Op::Propagation) return perform_process(step);
  if (step.op <= Op::ReadonlyRoot) return perform_mount(step);
  if (step.op <= Op::Label) return perform_credentials(step);
  return perform_last(step);
}

// The enumerators that other switches handle are errors here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"

long Init::perform_process(const Step& step) noexcept {
  using wire::Op;
  switch (step.op) {
    case Op::DieWithParent:
      return die_with_parent(step);
    case Op::AwaitGo:
      return await(wire::Msg::Go);
    case Op::OpenProc:
      return open_proc();
    case Op::EnterCgroup:
      return enter_cgroup(step);
    case Op::JoinNamespace:
    case Op::JoinProcess:
      return join(step);
    case Op::BecomeRoot:
      return become_root(step);
    case Op::Unshare:
      return call(__NR_unshare, step.flags);
    case Op::Fork:
      return fork_on(step);
    case Op::Session:
      (void)call(__NR_setsid);
      return 0;  // fails for a leader: all is well
    case Op::Keyring:
      return keyring(step);
    case Op::Loopback:
      return loopback();
    case Op::Hostname:
      return call(__NR_sethostname, text(step.text[0]), length(text(step.text[0])));
    case Op::Domainname:
      return call(__NR_setdomainname, text(step.text[0]), length(text(step.text[0])));
    case Op::Propagation:
      return call(__NR_mount, nullptr, "/", nullptr, step.flags, nullptr);
    default:
      return -EINVAL;
  }
}

long Init::perform_mount(const Step& step) noexcept {
  using wire::Op;
  switch (step.op) {
    case Op::AttachRoot:
      return attach_root(step);
    case Op::MountFs:
      return mount_fs(step);
    case Op::MountTree:
      return mount_tree(step);
    case Op::MakeDirectory: {
      const Fd made(make_target(text(step.text[0]), Kind::Directory));
      return made.ok() ? 0 : made.get();
    }
    case Op::MountPropagation:
      return mount_propagation(step);
    case Op::Attributes:
      return attributes(step);
    case Op::Device:
      return device(step);
    case Op::DeviceTree:
      return device_tree(step);
    case Op::Symlink:
      return symlink(step);
    case Op::Console:
      return console(step);
    case Op::Mask:
      return mask(step);
    case Op::ReadonlyPath:
      return readonly_path(step);
    case Op::AskHooks: {
      const long told = tell(wire::Msg::Hooks);
      return told < 0 ? told : await(wire::Msg::HooksDone);
    }
    case Op::Hook:
      return hook(step);
    case Op::Pivot:
      return pivot(step);
    case Op::ReadonlyRoot:
      return attributes(step);
    default:
      return -EINVAL;
  }
}

long Init::perform_credentials(const Step& step) noexcept {
  using wire::Op;
  switch (step.op) {
    case Op::Sysctl:
      return sysctl(step);
    case Op::Rlimit:
      return rlimit(step);
    case Op::Scheduler:
      return call(__NR_sched_setattr, 0, text(step.text[0]), 0);
    case Op::IoPriority:
      return call(__NR_ioprio_set, 1, 0, step.arg[0]);
    case Op::Affinity: {
      const long set = call(__NR_sched_setaffinity, 0, step.arg[0], text(step.text[0]));
      return set < 0 ? set : 0;
    }
    case Op::MemoryPolicy:
      return call(__NR_set_mempolicy, step.flags, step.text[0] != 0 ? text(step.text[0]) : nullptr,
                  step.arg[0]);
    case Op::Personality: {
      const long before = call(__NR_personality, step.arg[0]);
      return before < 0 ? before : 0;
    }
    case Op::Umask:
      umask_ = step.flags;
      return 0;
    case Op::OwnStdio:
      return own_stdio(step);
    case Op::WorkingDirectory:
      return working_directory(step);
    case Op::Home:
      return home(step);
    case Op::Label:
      return label(step);
    default:
      return -EINVAL;
  }
}

long Init::perform_last(const Step& step) noexcept {
  using wire::Op;
  switch (step.op) {
    case Op::Bounding:
      return bounding(step);
    case Op::User:
      return user(step);
    case Op::Capabilities:
      return capabilities(step);
    case Op::NoNewPrivileges:
      return call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case Op::Seccomp:
      return seccomp(step);
    case Op::FindProgram:
      return find_program();
    case Op::Ready:
      return ready();
    case Op::Execute:
      return execute();
    default:
      return -EINVAL;
  }
}

#pragma GCC diagnostic pop

long Init::tell(wire::Msg msg, long value) const noexcept {
  const wire::Packet packet = {msg, 0, 0, static_cast<int32_t>(value), 0};
  const long n = call(__NR_write, slot(wire::kSync), &packet, sizeof packet);
  return n < 0 ? n : 0;
}

long Init::await(wire::Msg expected) const noexcept {
  wire::Packet packet = {};
  long n = 0;
  do {
    n = call(__NR_read, slot(wire::kSync), &packet, sizeof packet);
  } while (n == -EINTR);
  if (n < 0) return n;
  if (n == 0) return -EPIPE;  // the parent is gone
  return n == sizeof packet && packet.msg == expected ? 0 : -EPROTO;
}

void Init::fail(unsigned step, long error, int detail) const noexcept {
  const wire::Packet packet = {wire::Msg::Failed, 0, static_cast<uint16_t>(step), detail,
                               static_cast<int32_t>(error)};
  (void)call(__NR_write, slot(wire::kSync), &packet, sizeof packet);
  leave(error == ENOENT ? 127 : error == EACCES || error == ENOEXEC ? 126 : 1);
}

// From here on we are "created". What is not needed any more is given back
// before the wait: it may last for days.
long Init::ready() noexcept {
  (void)call(__NR_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
  const unsigned first = 3 + header_->kept;
  const unsigned ours = static_cast<unsigned>(slot(wire::kSync));
  if (ours > first) (void)call(__NR_close_range, first, ours - 1, 0);
  (void)call(__NR_close_range, ours + 3, ~0U, 0);
  root_ = proc_ = empty_ = parent_ = -1;
  (void)call(__NR_umask, umask_);
  const long told = tell(wire::Msg::Ready);
  if (told < 0) return told;
  if (!header_->start_socket) return await(wire::Msg::Start);
  for (;;) {
    const long caller = call(__NR_accept4, slot(wire::kListener), nullptr, nullptr, 02000000);
    if (caller == -EINTR) continue;
    if (caller < 0) return caller;
    const long moved = call(__NR_dup3, caller, slot(wire::kSync), O_CLOEXEC);
    close_fd(caller);
    if (moved < 0) return moved;
    if (await(wire::Msg::Start) == 0) break;  // else he gave up: wait for the next
  }
  close_fd(slot(wire::kListener));
  return 0;
}

// Entered by _start with the stack as the kernel made it: argc, argv.
extern "C" [[noreturn, gnu::used]] void init_main(const long* stack) noexcept {
  const long argc = stack[0];
  const char* const* argv = reinterpret_cast<const char* const*>(stack + 1);
  long plan = 0;
  long size = 0;
  if (argc == 3) {
    for (const char* c = argv[1]; *c != '\0'; ++c) plan = plan * 10 + (*c - '0');
    for (const char* c = argv[2]; *c != '\0'; ++c) size = size * 10 + (*c - '0');
  }
  // Private and writable: a step may fill in a reserved place.
  const long at = call(__NR_mmap, wire::kPlanAddress, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_FIXED_NOREPLACE, plan, 0);
  if (at != static_cast<long>(wire::kPlanAddress)) leave(125);
  const char* base = reinterpret_cast<const char*>(at);
  if (reinterpret_cast<const wire::PlanHeader*>(base)->magic != wire::kMagic) leave(125);
  Init(base).run();
}

}  // namespace init

#if defined(__x86_64__)
asm(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n"
    "  call init_main\n  hlt\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start:\n  mov x29, #0\n  mov x0, sp\n  bl init_main\n  brk #1\n");
#endif

// GCC may call these for structures even in freestanding code.
extern "C" {
[[gnu::used]] void* memset(void* to, int byte, size_t n) noexcept;
[[gnu::used]] void* memcpy(void* to, const void* from, size_t n) noexcept;

[[gnu::optimize("no-tree-loop-distribute-patterns")]] void* memset(void* to, int byte,
                                                                   size_t n) noexcept {
  char* out = static_cast<char*>(to);
  while (n-- > 0) *out++ = static_cast<char>(byte);
  return to;
}

[[gnu::optimize("no-tree-loop-distribute-patterns")]] void* memcpy(void* to, const void* from,
                                                                   size_t n) noexcept {
  char* out = static_cast<char*>(to);
  const char* in = static_cast<const char*>(from);
  while (n-- > 0) *out++ = *in++;
  return to;
}
}
