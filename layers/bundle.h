// SPDX-License-Identifier: Apache-2.0
// bundle.h - a directory that a runtime can start: rootfs, config.json and the
// files of /etc that belong to the container.
#pragma once

#include <string>
#include <vector>

#include "bundle_options.h"
#include "lease.h"
#include "store.h"
#include "unpack.h"

// Makes DIR; rolls everything back when a step fails. The store keeps a record
// of it (a lease), so that nothing it uses is removed.
Result<void> make_bundle(const Store& store, const Image& image, const std::string& dir,
                         const BundleOptions& options, const UnpackLimits& limits);

// Unmounts and removes DIR and its record. What is already gone is no error.
Result<void> remove_bundle(const std::string& store_path, const std::string& dir);

// Where the store of the bundle DIR is, by the bundle's own word.
std::string store_of_bundle(const std::string& dir, const std::string& otherwise);

// hosts, hostname and resolv.conf, which the container sees in its /etc.
Result<void> write_container_files(FdRef dir, const BundleOptions& options);
