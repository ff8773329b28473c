// SPDX-License-Identifier: Apache-2.0
// layout.h - an OCI image layout on disk, ours or anybody's, for reading.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

#include "image.h"

// An image with everything that is needed to use it.
struct Image {
  std::string name;       // as the user calls it
  Descriptor descriptor;  // of the manifest
  Manifest manifest;
  ImageConfig config;
};

class Layout {
 public:
  static Result<Layout> open(const std::string& path);

  const std::string& path() const { return path_; }
  FdRef root() const { return root_; }

  Result<std::vector<Descriptor>> index() const;
  // A document (manifest, configuration): whole, its size and digest verified.
  Result<std::string> read_blob(const Descriptor& descriptor) const;
  // The bytes to read; nothing verified but that it is a file of that size.
  Result<UniqueFd> open_blob(const Descriptor& descriptor) const;
  bool has_blob(const Digest& digest) const;

  // The only image, or the one whose ref.name is `tag`.
  Result<Descriptor> find(const std::optional<std::string>& tag) const;
  // Through indexes down to one manifest.
  Result<Image> load(const std::string& name, Descriptor descriptor, const Platform& wanted) const;

  static std::string blob_path(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

 private:
  Layout(std::string path, UniqueFd root) : path_(std::move(path)), root_(std::move(root)) {}
  std::string path_;
  UniqueFd root_;
};

inline constexpr std::size_t kDocumentLimit = std::size_t{4} << 20;
