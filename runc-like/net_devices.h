// SPDX-License-Identifier: Apache-2.0
// net_devices.h - interfaces of the host that become the container's.
#pragma once

#include <sys/types.h>

#include <vector>

#include "spec.h"

// Into the network namespace of `pid`, with their permanent global addresses, and up.
// Those already moved come back when a later one fails; at the container's end the
// kernel gives hardware back to the host, and what is virtual ends with it.
Result<void> move_net_devices(const std::vector<NetDeviceSpec>& devices, pid_t pid);
