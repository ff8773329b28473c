// SPDX-License-Identifier: Apache-2.0
// wire.h - what the parent hands to init: one block of memory, made in the
// parent, sealed, mapped once by init, never copied and never parsed.
//
//     PlanHeader | Step[step_count] | texts, arrays, programs
//
// Everything points by offset from the start of the block; offset 0 is "none".
// Only the two pointer arrays of execve hold addresses: init maps the block at
// kPlanAddress, so the parent can write them. Both worlds include this file: no
// library, plain old data only.
#pragma once

#include <stdint.h>

namespace wire {

inline constexpr uint32_t kMagic = 0x314e4c50;  // "PLN1"
inline constexpr uint64_t kPlanAddress = 0x7e0000000000;

// What init can do. Every value has one method in init/ and one line in
// plan_text.cc; the meaning of the operands stands beside it.
enum class Op : uint16_t {
  None,
  DieWithParent,  // arg0: 1 on, 0 off
  AwaitGo,        // until the parent has done its part
  OpenProc,       // a procfs of our own, attached nowhere
  EnterCgroup,    // slot: cgroup.procs
  JoinNamespace,  // slot, flags: CLONE_NEW*; text0: its path
  JoinProcess,    // slot: pidfd, flags: CLONE_NEW*…
  BecomeRoot,     // uid and gid 0 of the user namespace; flags 1: drop groups
  Unshare,        // flags: CLONE_NEW*
  Fork,           // flags: CLONE_NEW*; the child goes on as a child of our parent
  Session,        // setsid
  Keyring,        // text0: name
  Loopback,       // lo up
  Hostname,       // text0
  Domainname,     // text0
  Propagation,    // flags: MS_* of "/"
  AttachRoot,     // slot: detached tree of the root file system; flags 1: left in place
  // text0 target, text1 type, text2 source, text3 options; arg0 attributes; flags kMount*;
  // arg1 set: the options as one text, for mount(2), and arg2 its MS_* flags
  MountFs,
  // slot: detached tree; text0 target; arg0 set, arg1 clear, arg2 recursively set|clear<<32;
  // flags kMountAtLink, kMountCopyLink
  MountTree,
  MakeDirectory,     // text0
  MountPropagation,  // text0 target, flags MS_*; arg0 kMountAtLink, kMountCopyLink
  Attributes,  // text0 target; arg0 set, arg1 clear; flags 1: recursive; arg2 kMountAtLink; for a
               // mount that is there
  Device,      // text0 path, flags: mode with type, arg0 device number, arg1 uid | gid << 32
  DeviceTree,  // slot: tree of the host's node; text0 path
  Symlink,     // text0 path, text1 what it holds; flags 1: replaces what is there
  Console,  // slot: console socket; flags 1: mount on text0 (/dev/console); arg0 rows | columns <<
            // 16; arg1 uid
  Mask,     // text0
  ReadonlyPath,  // text0
  AskHooks,      // the parent runs prestart and createRuntime now; arg0: moves so many interfaces
  Hook,   // text0 path, text1 argv, text2 environment, arg0 timeout in s, arg1 kind (text3 state)
  Pivot,  // flags 1: without pivot_root
  ReadonlyRoot,
  Sysctl,            // text0 path below /proc/sys, text1 value
  Rlimit,            // flags: resource, arg0 soft, arg1 hard
  Scheduler,         // blob: sched_attr
  IoPriority,        // arg0
  Affinity,          // text0: mask bytes, arg0: length
  MemoryPolicy,      // flags mode, text0 mask, arg0 bits
  Personality,       // arg0
  Umask,             // flags
  OwnStdio,          // arg0 uid: pipes and terminals become the user's
  WorkingDirectory,  // text0; flags 1: a failure is final (tried once before the user is set)
  Home,              // arg0 uid: HOME from the image's /etc/passwd
  Label,             // text0: file below /proc/self/attr, text1: label
  Bounding,          // arg0: capabilities to keep
  User,  // arg0 uid | gid << 32; text0: groups (uint32), arg1: how many; flags 1: setgroups may be
         // forbidden
  Capabilities,  // blob CapabilitySets at text0
  NoNewPrivileges,
  Seccomp,      // text0: sock_filter[], arg0: count, flags: of seccomp(2); arg1: 1 listener
  FindProgram,  // looks argv[0] up in PATH
  Ready,        // created; text0 set: wait on the start socket (slot), else on the same one
  Execute,
};

inline constexpr uint32_t kMountOrdinary = 1;  // target must not be reached by a link (proc, sysfs)
inline constexpr uint32_t kMountKeepMode = 2;  // tmpfs: the mode of the directory beneath
inline constexpr uint32_t kMountCopyUp = 4;    // tmpfs: the content of the directory beneath
inline constexpr uint32_t kMountAtLink = 8;    // a target that is a link is covered, not followed
inline constexpr uint32_t kMountCopyLink = 16;  // a source that is a link is copied, not mounted

struct Step {
  Op op;
  uint16_t reserved;
  int32_t slot;  // index of a descriptor handed over, or -1
  uint32_t flags;
  uint32_t text[4];
  uint32_t reserved2;
  uint64_t arg[3];
};

struct CapabilitySets {
  uint64_t effective;
  uint64_t permitted;
  uint64_t inheritable;
  uint64_t ambient;
};

struct PlanHeader {
  uint32_t magic;
  uint32_t size;
  uint32_t steps;  // offset
  uint32_t step_count;
  int32_t first_slot;  // descriptor number of slot 0
  uint32_t slot_count;
  uint32_t kept;         // descriptors 3 … stay open for the container
  uint32_t argv;         // offset of an array of addresses
  uint32_t envp;         // likewise; the last entry before the null is free for HOME when home_slot
  uint32_t home_slot;    // index in envp, or 0xffffffff
  uint32_t search_path;  // PATH of the container
  uint32_t start_socket;  // 1: wait for `start` on slot kListener
};

// Descriptors handed over: these five, then what the steps name. The first three
// are what init keeps while it waits to be started.
enum Slot : int32_t {
  kSync = 0,      // the conversation
  kListener = 1,  // start socket; only for create
  kNull = 2,      // /dev/null of the host, for hooks; only when there are any
  kPlan = 3,
  kProgram = 4,
  kFirstFree = 5
};

}  // namespace wire
