// SPDX-License-Identifier: Apache-2.0
// init.h - the life of a container's first process, from its own execveat to
// that of the container.
//
// Freestanding: system calls only, no C library, no allocation, no unwinding.
// Every method of a step answers 0 or -errno; detail_ says more where errno is
// not enough. run() is the only place that reports and the only one that ends.
#pragma once

#include "protocol.h"
#include "syscalls.h"
#include "wire.h"

namespace init {

class Init {
 public:
  explicit Init(const char* plan) noexcept
      : base_(plan), header_(reinterpret_cast<const wire::PlanHeader*>(plan)) {}

  [[noreturn]] void run() noexcept;

 private:
  using Step = wire::Step;

  // main.cc: the conversation
  long perform(const Step& step) noexcept;
  long perform_mount(const Step& step) noexcept;
  long perform_process(const Step& step) noexcept;
  long perform_credentials(const Step& step) noexcept;
  long perform_last(const Step& step) noexcept;
  void start_clean() noexcept;
  long tell(wire::Msg msg, long value = 0) const noexcept;
  long await(wire::Msg expected) const noexcept;
  [[noreturn]] void fail(unsigned step, long error, int detail) const noexcept;
  long ready() noexcept;

  // namespaces.cc
  long die_with_parent(const Step& step) noexcept;
  long open_proc() noexcept;
  long enter_cgroup(const Step& step) noexcept;
  long join(const Step& step) noexcept;
  long become_root(const Step& step) noexcept;
  long fork_on(const Step& step) noexcept;
  long keyring(const Step& step) noexcept;
  long loopback() noexcept;

  // paths.cc: names inside the root
  enum class Kind { Directory, File };
  long in_root(const char* path, uint64_t flags, uint64_t mode = 0) const noexcept;
  long make_target(const char* path, Kind kind) const noexcept;
  long make_missing(const char* path, Kind kind, size_t* start, size_t* end,
                    size_t* link) const noexcept;
  long open_parent(const char* path, const char** name) noexcept;
  void forget_parent() noexcept;
  long plain_target(const char* path, Kind kind) noexcept;
  long link_size(long fd) const noexcept;
  bool on_procfs(long fd) const noexcept;
  bool is_directory(long fd) const noexcept;

  // mounts.cc
  long attach_root(const Step& step) noexcept;
  long mount_fs(const Step& step) noexcept;
  long configure(long fs, const Step& step) noexcept;
  long make_tree(const Step& step) noexcept;
  long make_tree_by_path(const Step& step) noexcept;
  long mount_tree(const Step& step) noexcept;
  long target_of(const Step& step, Kind kind) noexcept;
  long copy_link(long link, const char* path) noexcept;
  long mount_propagation(const Step& step) noexcept;
  long attributes(const Step& step) noexcept;
  long attach(long tree, long target) const noexcept;
  long check_target(long target, const Step& step) noexcept;

  // masks.cc
  long mask(const Step& step) noexcept;
  long mask_directory(long target) noexcept;
  long mask_file(long target) noexcept;
  long readonly_path(const Step& step) noexcept;
  long pivot(const Step& step) noexcept;
  long detach_old_root(long old_root) noexcept;

  // copy_up.cc
  long copy_up(long from, long to) noexcept;

  // devices.cc
  long device(const Step& step) noexcept;
  long device_tree(const Step& step) noexcept;
  long symlink(const Step& step) noexcept;
  long console(const Step& step) noexcept;
  long bind_console(long peer) noexcept;
  long send_console(long socket, long master) const noexcept;

  // settings.cc
  long sysctl(const Step& step) noexcept;
  long label(const Step& step) noexcept;
  long rlimit(const Step& step) noexcept;
  long own_stdio(const Step& step) noexcept;
  long working_directory(const Step& step) noexcept;
  long home(const Step& step) noexcept;

  // credentials.cc
  long bounding(const Step& step) noexcept;
  long user(const Step& step) noexcept;
  long capabilities(const Step& step) noexcept;
  long seccomp(const Step& step) noexcept;

  // hooks.cc
  long hook(const Step& step) noexcept;
  long hook_input(const Step& step) noexcept;
  long await_hook(long child, long pidfd, uint64_t seconds) noexcept;

  // program.cc
  long find_program() noexcept;
  long search(const char* name) noexcept;
  long execute() noexcept;

  const char* text(uint32_t offset) const noexcept { return base_ + offset; }
  long slot(int32_t index) const noexcept { return header_->first_slot + index; }
  const char* const* pointers(uint32_t offset) const noexcept {
    return reinterpret_cast<const char* const*>(base_ + offset);
  }

  const char* base_;
  const wire::PlanHeader* header_;
  long root_ = -1;          // the container's root, O_PATH
  long proc_ = -1;          // our own procfs
  long empty_ = -1;         // the one empty directory that masks all directories
  long parent_ = -1;        // directory of the last device or link: they come in rows
  uint32_t parent_of_ = 0;  // offset of its path
  uint32_t umask_ = 022;
  uint32_t console_path_ = 0;
  bool arrived_ = false;  // in the working directory
  int detail_ = wire::kPlain;
};

// Room that is touched only when a step needs it.
extern char g_path[4096];
extern char g_buffer[65536];

}  // namespace init
