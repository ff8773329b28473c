// SPDX-License-Identifier: Apache-2.0
// usage.h - what the store takes on the disk, and what gc would give back.
#pragma once

#include <cstdint>

#include "store.h"

struct Usage {
  struct Part {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t reclaimable = 0;  // bytes
  };
  std::uint64_t images = 0;
  Part blobs;
  Part layers;  // unpacked
  Part bundles;
  Part cache;       // of build
  Part unfinished;  // in tmp/: of those at work, and of the dead
};

Result<Usage> measure_usage(const Store& store);
