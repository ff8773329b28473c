// SPDX-License-Identifier: Apache-2.0
// user_lookup.h - who "www-data:adm" is, by the image's own passwd and group.
//
// The files belong to a stranger: they are opened inside the root only, must be
// regular files and of modest size (CVE-2024-9676, CVE-2026-47262).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

struct ResolvedUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> additional_gids = {};
  std::string home = "/";
};

// `user` as in an image's configuration: user, uid, user:group, uid:gid and
// mixtures; empty is root. A name that is not there is an error.
Result<ResolvedUser> resolve_user(FdRef rootfs, const std::string& user);
