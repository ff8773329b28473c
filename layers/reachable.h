// SPDX-License-Identifier: Apache-2.0
// reachable.h - what images and bundles of a store lead to: all else is garbage.
#pragma once

#include <set>
#include <string>

#include "layout.h"
#include "lease.h"

class Reachable {
 public:
  explicit Reachable(const Layout& layout) : layout_(&layout) {}

  // The blob, and everything that a document which it is names. A document that we
  // do not understand keeps all that looks like a digest in it.
  void add(const Descriptor& descriptor, int depth = 0);
  void add(const BundleRecord& record);
  bool has_blob(const std::string& hex) const { return blobs_.contains(hex); }
  bool has_layer(const std::string& name) const { return layers_.contains(name); }

 private:
  const Layout* layout_;
  std::set<std::string> blobs_;
  std::set<std::string> layers_;  // "layers/diff/…", "layers/chain/…"
};

Result<Reachable> reachable_in(const Layout& layout);
