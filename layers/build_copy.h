// SPDX-License-Identifier: Apache-2.0
// build_copy.h - COPY and ADD: puts what a source has into a root file system.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "build_source.h"
#include "user_lookup.h"

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct CopyOptions {
  std::optional<Owner> owner = {};  // absent: the source's
  std::string mode = {};            // of files and directories; empty: the source's
  IgnoreRules exclude = {};
};

// The mode after "644", "u+x,go-w" and the like; nothing when it is neither.
std::optional<mode_t> change_mode(const std::string& text, mode_t mode);

// What "--chown=USER[:GROUP]" means in that root. A number without a group is
// the group's number too.
Result<Owner> resolve_owner(FdRef rootfs, const std::string& text);

bool is_directory_in(FdRef rootfs, const std::string& path);

// `target` (clean, seen from inside `rootfs`) becomes the file, or gets the
// content of the directory. Links of the root are followed inside it.
Result<void> copy_source(const SourceTree& tree, const FoundSource& source, FdRef rootfs,
                         const std::string& target, const CopyOptions& options);

// A file that is open already, with these attributes.
Result<void> copy_open_file(FdRef file, const struct stat& st, FdRef rootfs,
                            const std::string& target, const CopyOptions& options);
// A small file of our own making.
Result<void> write_into(FdRef rootfs, const std::string& target, std::string_view text,
                        const CopyOptions& options);

// Whether a file is an archive that ADD takes apart, and the taking apart, into
// the directory `target`.
Result<bool> is_archive(FdRef file);
Result<void> extract_archive(UniqueFd file, FdRef rootfs, const std::string& target);
