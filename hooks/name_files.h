// SPDX-License-Identifier: Apache-2.0
// name_files.h - the text of a container's /etc/hosts and /etc/resolv.conf. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "network_members.h"

// "10.89.0.2\tweb www\n" for each address of each member, which is called by its id
// when it has no name, and for each of `extra`, which is NAME:ADDRESS.
Result<std::string> hosts_lines(const std::vector<NetworkMember>& members,
                                const std::vector<std::string>& extra);

// `text` with our block holding `lines`; without it when there are none. A file that
// is empty or absent begins with localhost.
std::string with_hosts_block(std::string_view text, std::string_view lines);

DnsSettings parse_resolv_conf(std::string_view text);
std::string resolv_conf(const DnsSettings& dns);

// A name server that only the host itself reaches.
bool is_loopback(std::string_view address);
