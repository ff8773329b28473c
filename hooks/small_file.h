// SPDX-License-Identifier: Apache-2.0
// small_file.h - kernel files by the thousand: open, one read, close, no allocation.
#pragma once

#include <span>
#include <string_view>

#include "common/fd.h"

// What one read gives; empty when there is nothing, or no such file.
inline std::string_view read_small(FdRef directory, const char* name, std::span<char> buffer) {
  const UniqueFd fd(::openat(directory.get(), name, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  const ssize_t n = fd ? ::read(fd.get(), buffer.data(), buffer.size()) : 0;
  return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}
