// SPDX-License-Identifier: Apache-2.0
// hosts_file.h - names of a network's members, kept current in each member's hosts file.
//
// The file is bind-mounted into its container, so it must stay the same inode:
// it is rewritten in place. Only the lines between our two marks are ours:
//   # netsetup begin NETWORK
//   10.89.0.2	web www
//   # netsetup end NETWORK
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "member.h"

// "10.89.0.2\tweb www\n" for each address of each member that has a name. Pure.
std::string hosts_lines(const std::vector<Member>& members);

// `text` with the block of `network` holding `lines`; without the block when
// there are none. Pure.
std::string with_hosts_block(std::string_view text, const std::string& network,
                             const std::string& lines);

// What a container may call another: letters, digits, '.', '-', '_'.
bool is_host_name(std::string_view name);

// Rewrites the block. False when the file is not there; `create` makes it.
Result<bool> update_hosts_file(const std::string& path, const std::string& network,
                               const std::string& lines, bool create);
