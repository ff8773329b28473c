// SPDX-License-Identifier: Apache-2.0
// store.h - where images live: an OCI image layout that other tools read as it
// stands, and beside it what only we need.
//
//   oci-layout, index.json, blobs/sha256/…   the layout
//   layers/diff/<diffID>    unpacked layers in overlay form, whatever lies below
//   layers/chain/<chainID>  those that depend on what lies below
//   bundles/<name>/         of a bundle: record, upper and work directory
//   tmp/                    half-made things, removed when their maker is gone
//   lock                    see object_lock.h
//
// Whatever appears under its final name is complete: it was made in tmp/ and
// renamed. All of it is mode 0700, since images hold setuid programs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"
#include "common/temp_dir.h"

#include "layout.h"
#include "object_lock.h"

class Store {
 public:
  // Creates what is missing. Holds the store lock (shared) as long as it lives.
  static Result<Store> open(const std::string& path);

  const Layout& layout() const { return layout_; }
  const std::string& path() const { return layout_.path(); }
  FdRef root() const { return layout_.root(); }

  // An empty directory on the store's file system.
  Result<TempDir> scratch() const;

  // A small document, by its digest.
  Result<Descriptor> put(std::string_view bytes, std::string_view media_type) const;
  // An open file of the store's own file system becomes the blob; `digest` is that of its bytes.
  Result<void> adopt(FdRef file, const Digest& digest) const;
  // Takes a blob from another layout, verified on the way. What is here already
  // stays. From::Scratch: the other layout is ours and goes away, so its file
  // becomes our blob without a copy.
  enum class From { Elsewhere, Scratch };
  Result<void> take_blob(const Layout& from, const Descriptor& descriptor, From where) const;

  // The image `name` (as given by a user: name, ID or digest).
  Result<Descriptor> find(const std::string& name) const;
  Result<Image> load(const std::string& name, const Platform& wanted) const;
  Result<std::vector<Descriptor>> images() const { return layout_.index(); }

  // Gives the manifest a name; another image of that name loses it (its digest is returned).
  Result<std::optional<Digest>> tag(const Descriptor& manifest, const std::string& full_name) const;
  // False when there was none.
  Result<bool> untag(const std::string& full_name) const;

 private:
  Store(Layout layout, ObjectLock lock) : layout_(std::move(layout)), lock_(std::move(lock)) {}
  using Edit = std::function<void(std::vector<Descriptor>&)>;
  Result<void> edit_index(const Edit& edit) const;

  Layout layout_;
  ObjectLock lock_;
};

// The JSON of a descriptor, with the annotation that names it when `name` is not empty.
std::string descriptor_json(const Descriptor& descriptor, const std::string& name = "");
