// SPDX-License-Identifier: Apache-2.0
// runtime_config.h - an image's configuration as the runtime's config.json
// (image-spec, conversion.md), with the defaults that docker and podman agree on.
#pragma once

#include <set>
#include <string>

#include "bundle_options.h"
#include "image.h"
#include "user_lookup.h"

// `bundle` is the absolute path of the bundle, `user` the process's user as
// resolved in the image's root.
Result<std::string> runtime_config(const ImageConfig& image, const BundleOptions& options,
                                   const std::string& bundle, const ResolvedUser& user);

// The working directory of the process: absolute, and nowhere in /proc, where a
// leaked descriptor of the runtime could be entered (CVE-2024-21626).
Result<std::string> working_directory(const ImageConfig& image, const BundleOptions& options);

// Where every container has something mounted: clean paths.
std::set<std::string> standard_mount_points();
