// SPDX-License-Identifier: Apache-2.0
// file_facts.h - the comparisons between a file and what it may be a copy of.
#pragma once

#include <sys/stat.h>

#include <string>

#include "common/fd.h"

// One name in an open directory, with its attributes.
struct Place {
  FdRef dir;
  const std::string& name;
  const struct stat& st;
};

// Overlayfs's "deleted".
bool is_whiteout(const struct stat& st);
// Type, mode, owner, size, device, link target and extended attributes; of
// directories no size. Times only when `times`.
Result<bool> same_attributes(const Place& a, const Place& b, bool times);
// Regular files of one size, byte by byte.
Result<bool> same_content(const Place& a, const Place& b);

Result<std::string> read_link_at(FdRef dir, const std::string& name);
