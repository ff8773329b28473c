// SPDX-License-Identifier: Apache-2.0
// change_options.h - options that the verbs which make images understand alike.
#pragma once

#include <string>

#include "common/cli.h"

#include "changed_tree.h"
#include "new_image.h"

Result<Compression> compression_option(const Options& options);
Result<ChangedTreeOptions> changed_tree_options(const Options& options);
// `created_by` unless the user says otherwise.
NewHistory history_option(const Options& options, const std::string& created_by);

// Stores the image, gives it the name, prints that and the digest, and tells
// whoever listens to events.
Result<void> publish_image(const Arguments& arguments, const Store& store, const NewImage& image,
                           const std::string& name, const std::string& event);
