// SPDX-License-Identifier: Apache-2.0
// build_cache.h - layers that a build made before, by what they were made from.
//
// The key is the digest of all that went in: the base, every instruction since,
// the content of the files. Images from elsewhere put nothing here, so none can
// pass its layer off as the result of an instruction (CVE-2024-24557).
#pragma once

#include <optional>

#include "new_image.h"
#include "store.h"

class BuildCache {
 public:
  static Result<BuildCache> open(const Store& store);

  struct Entry {
    std::optional<NewLayer> layer;  // absent: the instruction changed nothing
  };
  // Nothing when it is not known, or its layer has been removed.
  std::optional<Entry> find(const Digest& key) const;
  Result<void> keep(const Digest& key, const Entry& entry) const;
  // A directory that outlives builds: RUN --mount=type=cache.
  Result<std::string> directory(const std::string& id) const;

 private:
  BuildCache(const Store& store, UniqueFd dir) : store_(&store), dir_(std::move(dir)) {}
  const Store* store_;
  UniqueFd dir_;
};
