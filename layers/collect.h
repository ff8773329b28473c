// SPDX-License-Identifier: Apache-2.0
// collect.h - finding and removing what nobody needs.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "store.h"

struct Collected {
  std::uint64_t blobs = 0;
  std::uint64_t layers = 0;
  std::uint64_t bytes = 0;
};

// Removes blobs and layers that no image of the index and no bundle leads to.
// Nothing, when another process uses the store: it may be about to refer to
// them. A document that we do not understand keeps everything it names, and a
// missing one stops the removal of blobs.
Result<std::optional<Collected>> collect_garbage(const std::string& store_path);
