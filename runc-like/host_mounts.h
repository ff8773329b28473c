// SPDX-License-Identifier: Apache-2.0
// host_mounts.h - what a container without a mount namespace has mounted: it is in
// the host's, and does not go away with the last process.
#pragma once

#include <string>

#include "spec.h"

// Takes them away, the last first; nothing when the container has a mount namespace.
void remove_host_mounts(const Spec& spec, const std::string& rootfs);
