// SPDX-License-Identifier: Apache-2.0
// reference.h - what a user writes for an image.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

// "busybox" is "busybox:latest"; a name that may not stand in an index is an error.
Result<std::string> full_name(std::string_view name);

// "oci:PATH[:TAG]" and the like.
struct Source {
  enum class Kind { Oci, OciArchive, DockerArchive, Tar };
  Kind kind = Kind::Oci;
  std::string path;
  std::optional<std::string> tag;  // after the path: tag or reference
};
// Nothing when the text has none of the prefixes.
Result<std::optional<Source>> parse_source(std::string_view text);

// The name to use when the user gave none: what the source calls it, with the
// last part of its path where that is only a tag ("oci:img/debian:12" is "debian:12").
Result<std::string> default_name(const Source& source, const std::optional<std::string>& ref_name);
