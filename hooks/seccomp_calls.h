// SPDX-License-Identifier: Apache-2.0
// seccomp_calls.h - the names of system calls and architectures, by libseccomp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

// "SCMP_ARCH_X86_64"; the number where the name is not known.
std::string architecture_name(std::uint32_t token);

// This machine's, and those whose programs it runs too, as profiles name them.
std::vector<std::string> architectures_here();

// Every call of these, sorted.
std::vector<std::string> all_calls();

// Remembers what it has looked up.
class CallNames {
 public:
  // Empty when libseccomp does not know the number.
  const std::string& find(std::uint32_t architecture, int number);

 private:
  std::map<std::pair<std::uint32_t, int>, std::string> known_ = {};
};
