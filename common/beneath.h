// SPDX-License-Identifier: Apache-2.0
// beneath.h - paths that cannot leave a directory, whatever links lie in it.
//
// The root is an O_PATH descriptor; the kernel does the walk (openat2(2)), so
// there is no moment between check and use. Nothing here ever takes an absolute
// path string of the host.
#pragma once

#include <string>
#include <string_view>

#include "common/fd.h"

// The path as a process chrooted into `root` would see it: absolute links and
// ".." stay inside. Magic links (/proc/self/fd/N, …) are refused.
Result<UniqueFd> open_in_root(FdRef root, const std::string& path, int flags, mode_t mode = 0);

// The path as it stands: anything that would lead out of `dir`, and every
// symbolic link, is refused (ELOOP, EXDEV).
Result<UniqueFd> open_beneath(FdRef dir, const std::string& path, int flags, mode_t mode = 0);

// One name in `dir`, without following a link or entering another mount (EXDEV).
Result<UniqueFd> open_same_mount(FdRef dir, const std::string& name, int flags);

// mkdir -p of `path` seen from inside `root`; returns the last directory (O_PATH).
Result<UniqueFd> make_directories_in_root(FdRef root, const std::string& path, mode_t mode = 0755);

// One component of a path that means itself: not empty, ".", "..", no '/' and no NUL.
bool is_plain_name(std::string_view name);
