// SPDX-License-Identifier: Apache-2.0
// acl.h - POSIX access control lists: text in archives, bytes in an attribute.
#pragma once

#include <optional>
#include <string>
#include <string_view>

// "user::rwx,user:1000:r-x,group::r-x,mask::r-x,other::r--" as the value of
// system.posix_acl_access. Names must be numbers (star adds them as a fourth
// field): the host's passwd says nothing about the image. Nothing when malformed.
std::optional<std::string> acl_from_text(std::string_view text);
