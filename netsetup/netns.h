// SPDX-License-Identifier: Apache-2.0
// netns.h - network namespaces: opened once, checked, entered for a moment.
#pragma once

#include <string>

#include "common/fd.h"

#include "netlink.h"

// A network namespace that is not our own, by the path that names it.
Result<UniqueFd> open_netns(const std::string& path);

// A route socket that stays in the namespace; we are back in ours on return.
// Single-threaded programs only: setns(2) moves the calling thread.
Result<NetlinkSocket> route_socket_in(FdRef netns);

// /proc/sys/net/<name> of that namespace; read without the final newline.
Result<std::string> read_sysctl_in(FdRef netns, const std::string& name);
Result<void> write_sysctl_in(FdRef netns, const std::string& name, const std::string& value);

// "on" in /proc/sys/net/<name> of ours; true when it had to be changed.
Result<bool> switch_on(const std::string& name);
Result<void> write_sysctl(const std::string& name, const std::string& value);
