// SPDX-License-Identifier: Apache-2.0
// layer_dirs.h - the layers of an image, unpacked once for all images that have them.
//
// A layer stands under its diffID, whatever lies below it in an image, and is
// unpacked without looking there; so layers are unpacked in parallel. A layer
// that cannot be understood alone (a hard link to a lower layer's file, a
// directory without an entry) is applied through an overlay mount of those below
// it, where the kernel makes the copies, and stands under its chainID.
#pragma once

#include <string>
#include <vector>

#include "store.h"
#include "unpack.h"

// Directories of all layers, the lowest first; unpacks those that are missing.
Result<std::vector<std::string>> unpacked_layers(const Store& store, const Image& image,
                                                 const UnpackLimits& limits);

// image-spec, config.md: the digest of a stack of layers.
std::vector<Digest> chain_ids(const std::vector<Digest>& diff_ids);

// Names under layers/ that the image uses or may use.
std::vector<std::string> layer_names(const Image& image);
