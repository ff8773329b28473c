// SPDX-License-Identifier: Apache-2.0
// layer_packer.h - changes of a tree as the members of a layer.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"

#include "byte_sink.h"
#include "tree_changes.h"

struct PackOptions {
  std::optional<time_t> latest = {};  // no member is younger: $SOURCE_DATE_EPOCH
};
// With $SOURCE_DATE_EPOCH, where it is set.
PackOptions pack_options();

// Writes a whole archive: what `changes` names in the tree below `root`, in that order.
Result<void> pack_layer(FdRef root, const std::vector<Change>& changes, const PackOptions& options,
                        ByteSink& sink);
