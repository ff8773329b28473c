// SPDX-License-Identifier: Apache-2.0
// registry_options.h - the options that all verbs with a registry share, and the
// places that copy, save, pull and push read from and write to.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/cli.h"

#include "reference.h"
#include "registry.h"
#include "transfer.h"

Result<RegistryOptions> registry_options(const Options& options);
Result<CopyOptions> copy_options(const Options& options);

// Where an image comes from, opened; the parts live as long as the source is read.
struct OpenSource {
  std::unique_ptr<Registry> registry = {};
  std::optional<TempDir> scratch = {};
  std::unique_ptr<Store> inner = {};  // in scratch; first closed, then removed
  std::unique_ptr<Layout> layout = {};
  std::unique_ptr<ImageSource> source = {};
  std::string name = {};  // what a store would call it; may be empty
};

// `text`: docker://REFERENCE, oci:, oci-archive:, docker-archive:, tar:, or a name in the store.
Result<OpenSource> open_source(const std::string& text, const Store& store, const Options& options);
// From a registry into the store itself: what is fetched stays.
Result<OpenSource> open_pull(const std::string& reference, const Store& store,
                             const Options& options);

struct OpenTarget {
  std::unique_ptr<Registry> registry = {};
  std::unique_ptr<ImageTarget> target = {};
};
// `text` as above, but no tar:. `from` tells what can be mounted instead of sent.
Result<OpenTarget> open_target(const std::string& text, const OpenSource& from, const Store& store,
                               const Options& options);
