// SPDX-License-Identifier: Apache-2.0
// protocol.h - the conversation between `create` or `exec` (parent) and init.
//
//     parent                                   init
//       | clone3, then execveat of init ------> |
//       | id maps, devices, limits              |  (blocked, when there are any)
//       | [Go --------------------------------> |
//       |                                       |  joined a pid or user namespace:
//       | <---------------------------- Forked] |  init goes on as this pid
//       |                                       |  mounts, devices
//       | <----------------------------- Hooks] |  (the host's tree is still there)
//       | [HooksDone -------------------------> |  pivot_root, user, capabilities
//       | <------------------------------ Ready |  created
//       |                                       |
//     `run`, `exec`: on the same socket; `create` ends here and `start`, any
//     time later, connects to the start socket:
//       | Start ------------------------------> |
//       | <------------------------- Listener]  |  seccomp descriptor to fetch (value)
//       | [Go --------------------------------> |
//       | <---------------- end of file: execve has succeeded
//
// `Failed` may replace any message of init and ends the conversation: step,
// errno. End of file without it before Start means that init died. Every
// message is one SOCK_SEQPACKET packet of sizeof(Packet) bytes; there is no
// other format.
#pragma once

#include <stdint.h>

namespace wire {

enum class Msg : uint8_t { Go, Forked, Hooks, HooksDone, Ready, Start, Listener, Failed };
enum class From : uint8_t { Parent, Init };
enum class State : uint8_t { Cloned, Going, HooksPending, Entering, Created, Started, Listening };

struct Transition {
  State in;
  From sender;
  Msg msg;
  State out;
};

inline constexpr Transition kConversation[] = {
    {State::Cloned, From::Parent, Msg::Go, State::Going},
    {State::Cloned, From::Init, Msg::Forked, State::Going},
    {State::Going, From::Init, Msg::Forked, State::Going},
    {State::Cloned, From::Init, Msg::Hooks, State::HooksPending},
    {State::Going, From::Init, Msg::Hooks, State::HooksPending},
    {State::HooksPending, From::Parent, Msg::HooksDone, State::Entering},
    {State::Cloned, From::Init, Msg::Ready, State::Created},
    {State::Going, From::Init, Msg::Ready, State::Created},
    {State::Entering, From::Init, Msg::Ready, State::Created},
    {State::Created, From::Parent, Msg::Start, State::Started},
    {State::Started, From::Init, Msg::Listener, State::Listening},
    {State::Listening, From::Parent, Msg::Go, State::Started},
};

// Where `msg` leads; `in` itself when the table does not have it.
constexpr bool allowed(State in, From sender, Msg msg, State* out) {
  for (const Transition& t : kConversation) {
    if (t.in != in || t.sender != sender || t.msg != msg) continue;
    *out = t.out;
    return true;
  }
  return false;
}

struct Packet {
  Msg msg;
  uint8_t reserved;
  uint16_t step;  // where init stopped, when Failed
  int32_t value;  // pid (Forked), descriptor (Listener), detail of a failure
  int32_t error;  // errno, when Failed
};
static_assert(sizeof(Packet) == 12);

// `value` of a Failed packet: what kind of failure it was, where errno alone
// does not tell.
enum Detail : int32_t {
  kPlain = 0,
  kNotFoundInPath = 1,  // FindProgram
  kOutsideRoot = 2,     // WorkingDirectory: it is not below the container's root
  kInsideProc = 3,      // a mount that would land inside procfs
  kWrongKind = 4,       // a special file that is not what it claims to be
  kHookStatus = 5,      // Hook: error is its wait status
  kHookTimeout = 6,
  kOptionRefused = 1000,  // MountFs: and the number of the option
};

}  // namespace wire
