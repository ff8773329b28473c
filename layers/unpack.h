// SPDX-License-Identifier: Apache-2.0
// unpack.h - an image as one plain directory, exact to the byte.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "layer_applier.h"
#include "layer_stream.h"
#include "layout.h"

struct UnpackLimits {
  std::uint64_t most_bytes = std::uint64_t{1} << 40;    // of one decompressed layer
  std::uint64_t most_entries = std::uint64_t{1} << 22;  // of one layer
};

// `target` must not exist, or be an empty directory. What fails leaves it as it was.
Result<void> unpack_image(const Layout& layout, const Image& image, const std::string& target,
                          const UnpackLimits& limits);

// The i-th layer as a stream whose digests are checked.
Result<std::unique_ptr<LayerStream>> open_layer(const Layout& layout, const Image& image,
                                                std::size_t i, const UnpackLimits& limits);

// "layer 2 of 3 (0123456789ab)", for errors.
std::string layer_label(const Image& image, std::size_t i);
