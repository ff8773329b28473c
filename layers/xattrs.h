// SPDX-License-Identifier: Apache-2.0
// xattrs.h - extended attributes of a layer's members.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fd.h"

using Xattrs = std::vector<std::pair<std::string, std::string>>;

// False for what a layer must not decide: labels of the host's security module,
// and overlayfs's own marks, with which a layer could show files of others.
bool is_applied_xattr(std::string_view name);

// An open file or directory.
Result<void> set_xattrs(FdRef file, const Xattrs& xattrs, const std::string& path);
// What cannot be opened (links, devices): `name` in `dir`, not followed.
Result<void> set_xattrs_at(FdRef dir, const std::string& name, const Xattrs& xattrs,
                           const std::string& path);
// Removes what `xattrs` does not name.
Result<void> remove_other_xattrs(FdRef file, const Xattrs& xattrs, const std::string& path);

inline constexpr const char* kOverlayOpaque = "trusted.overlay.opaque";

// On the top directory of an unpacked layer that says nothing about the root:
// overlayfs would show this directory's attributes, but a lower layer's are meant.
inline constexpr const char* kRootUnsaid = "trusted.layers.root-unsaid";

// All that a layer may carry, sorted by name. Of an open file or directory, and
// of what cannot be opened (links, devices).
Result<Xattrs> read_xattrs(FdRef file, const std::string& path);
Result<Xattrs> read_xattrs_at(FdRef dir, const std::string& name, const std::string& path);
