// SPDX-License-Identifier: Apache-2.0
// credentials.cc - giving up power, in the one order that works.
//
// Should: everything that needs privilege is done; the bounding set goes first
// (needs CAP_SETPCAP), then groups, gid, uid with capabilities kept, then the
// sets, ambient last (needs permitted and inheritable).
// Mustn't: load a filter before the wait for `start` (its system calls would
// have to be in the profile), keep CAP_SYS_ADMIN longer than a filter without
// no_new_privs needs it.
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "init.h"

namespace init {

long Init::bounding(const Step& step) noexcept {
  for (unsigned number = 0; number < 64; ++number) {
    if ((step.arg[0] >> number & 1U) != 0) continue;
    const long dropped = call(__NR_prctl, PR_CAPBSET_DROP, number, 0, 0, 0);
    if (dropped == -EINVAL) break;  // past the last one of this kernel
    if (dropped < 0) return dropped;
  }
  return 0;
}

long Init::user(const Step& step) noexcept {
  const long keep = call(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (keep < 0) return keep;
  const long groups = call(__NR_setgroups, step.arg[1], text(step.text[0]));
  // A user namespace may forbid it; then there was nothing to drop by it either.
  const bool forbidden = groups == -EPERM && step.flags != 0 && step.arg[1] == 0;
  if (groups < 0 && !forbidden) return groups;
  const uint64_t uid = step.arg[0] & 0xffffffffU;
  const uint64_t gid = step.arg[0] >> 32U;
  const long group = call(__NR_setresgid, gid, gid, gid);
  if (group < 0) return group;
  const long changed = call(__NR_setresuid, uid, uid, uid);
  if (changed < 0) return changed;
  // A changed user makes the process dumpable anew.
  return call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

namespace {

long set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) noexcept {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const auto high = [](uint64_t v) { return static_cast<uint32_t>(v >> 32U); };
  const __user_cap_data_struct data[2] = {{low(effective), low(permitted), low(inheritable)},
                                          {high(effective), high(permitted), high(inheritable)}};
  return call(__NR_capset, &header, data);
}

}  // namespace

long Init::capabilities(const Step& step) noexcept {
  const auto* sets = reinterpret_cast<const wire::CapabilitySets*>(text(step.text[0]));
  const uint64_t extra = step.arg[0];  // kept for the filter, dropped by a second step
  const long set =
      set_capabilities(sets->effective | extra, sets->permitted | extra, sets->inheritable);
  if (set < 0) return set;
  if (step.flags != 0) return 0;  // the second time the ambient set stands already
  (void)call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // Not raised what is not permitted: the specification asks for a warning, not
  // an end, and the parent has given it.
  for (unsigned number = 0; number < 64; ++number)
    if ((sets->ambient >> number & 1U) != 0)
      (void)call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
  return 0;
}

long Init::seccomp(const Step& step) noexcept {
  struct {
    unsigned short count;
    const void* filter;
  } const program = {static_cast<unsigned short>(step.arg[0]), text(step.text[0])};
  const long done = call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, step.flags, &program);
  if (done < 0) return done;
  if ((step.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0) return 0;
  // The parent fetches the descriptor; the profile cannot ask about write and
  // read, which this needs.
  const long told = tell(wire::Msg::Listener, done);
  if (told < 0) return told;
  const long go = await(wire::Msg::Go);
  close_fd(done);
  return go;
}

}  // namespace init
