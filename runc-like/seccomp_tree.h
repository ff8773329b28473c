// SPDX-License-Identifier: Apache-2.0
// seccomp_tree.h - writes a filter as one search tree over ranges of system call
// numbers.
//
// A profile allows most calls and neighbours mostly share an answer, so ranges
// are few: podman's profile for three architectures has a fifth of the
// instructions that libseccomp writes, compiles in a hundredth of the time and
// is loaded by the kernel in half. libseccomp stays the oracle of the tests, the
// source of the numbers, and the compiler for the rarer architectures.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "seccomp.h"

// Whether every architecture of the list has plain numbers and 32- or 64-bit
// little-endian arguments.
bool tree_compiler_knows(const std::vector<std::uint32_t>& architectures);

// The filter for `architectures`, ours among them; with the answer ENOSYS to
// calls newer than the profile.
std::vector<sock_filter> compile_tree(const SeccompSpec& spec,
                                      const std::vector<std::uint32_t>& architectures);

// Whether a call that the profile does not name is refused: only then must newer
// ones be answered by ENOSYS.
bool refuses_by_default(const SeccompSpec& spec);

// The same by libseccomp: for architectures that the tree compiler does not know.
Result<std::vector<sock_filter>> compile_with_libseccomp(const SeccompSpec& spec);
