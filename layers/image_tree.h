// SPDX-License-Identifier: Apache-2.0
// image_tree.h - the images of a store as a forest of layers: what lies on the
// same layers grows from the same trunk.
#pragma once

#include <string>

#include "store.h"

// One line per layer, indented below the one it lies on, with the names of the
// images that end there; then what all of it takes.
Result<std::string> image_tree(const Store& store);
