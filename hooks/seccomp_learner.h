// SPDX-License-Identifier: Apache-2.0
// seccomp_learner.h - the other end of a container's seccomp listener: every call that
// it is asked about is noted and let go on.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "common/fd.h"

#include "seccomp_profile.h"

struct Lesson {
  Learnt learnt = {};
  std::uint64_t asked = 0;                           // how often the container had to wait
  std::map<std::string, std::uint64_t> denied = {};  // by the profile that is audited
};

// A socket that a runtime connects to for each process that it starts in the container.
Result<UniqueFd> listen_for_runtime(const std::string& path);

// Until the container and every process that was added to it have ended. `container`
// is its first process; `audited` may be null.
Result<Lesson> learn(FdRef listener, pid_t container, const Profile* audited);
