// SPDX-License-Identifier: Apache-2.0
// seccomp.h - linux.seccomp of config.json to a BPF program, compiled once per
// content of a profile and kept in a cache.
//
// Everything happens in the parent; init gets the finished program. libseccomp
// knows the system call numbers and writes the filter; what it does not do - the
// answer ENOSYS to calls that are newer than the profile - is put in front.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/json.h"

struct SeccompArgument {
  unsigned index = 0;
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  int op = 0;  // enum scmp_compare
};

struct SeccompRule {
  std::vector<std::string> names;
  std::uint32_t action = 0;  // SCMP_ACT_*, with its errno or message
  std::vector<SeccompArgument> arguments;
  std::string field;  // JSON pointer of the rule
};

struct SeccompSpec {
  std::uint32_t default_action = 0;
  std::vector<std::uint32_t> architectures;  // SCMP_ARCH_*; ours is always included
  unsigned flags = 0;                        // SECCOMP_FILTER_FLAG_*
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompRule> rules;
  std::string text;  // the profile as compact JSON: what the cache compares
  std::string field;
  std::optional<std::vector<sock_filter>> known;  // from the cache; then `rules` were not read
};

struct SeccompProgram {
  std::vector<sock_filter> filter;
  unsigned flags = 0;                 // for seccomp(2); NEW_LISTENER is set when notify
  bool notify = false;                // some rule asks a supervisor: the listener must be sent
  std::string listener_path;          // where to send the descriptor
  std::string listener_metadata;      // beside it
  std::vector<std::string> warnings;  // unknown system calls; a hit in the cache says them no more
  bool cached = false;
};

// The program of a profile that was compiled before, when there is one: its
// hundreds of rules have been read and checked then.
using KnownFilter = std::function<std::optional<std::vector<sock_filter>>(const SeccompSpec&)>;
KnownFilter filters_in(const std::string& cache_dir);

Result<SeccompSpec> parse_seccomp(const JsonView& view, const KnownFilter& known = {});

// `cache_dir` is made when missing (0700, must be ours); empty: no cache. A
// cache that cannot be read or written costs time, never the container.
Result<SeccompProgram> compile_seccomp(const SeccompSpec& spec, const std::string& cache_dir);

// Names for `features`: what this build understands.
std::vector<std::string> seccomp_action_names();
std::vector<std::string> seccomp_operator_names();
std::vector<std::string> seccomp_architecture_names();
std::vector<std::string> seccomp_flag_names();
