// SPDX-License-Identifier: Apache-2.0
// lease.h - bundles and mounts in the store's books: what they use is not removed,
// and what is written in them lies in the store.
//
//   bundles/<id>/record.json   where it is, of which image, which blobs and layers
//   bundles/<id>/upper, work   the writable part
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store.h"
#include "undo.h"

struct BundleRecord {
  std::string id;
  std::string bundle;
  std::string image;
  std::vector<Digest> blobs;        // manifest, configuration, layers
  std::vector<std::string> layers;  // relative to the store
};
Result<std::vector<BundleRecord>> bundle_records(FdRef store_root);
// Of the bundle or mount in DIR; nothing when the store has none.
Result<std::optional<BundleRecord>> find_bundle(FdRef store_root, const std::string& dir);

// Absolute, with no link in it except perhaps the last name, which need not exist.
Result<std::string> absolute_place(const std::string& path);
// "bundles/<id>": known by where it is, so found again even when its files are lost.
std::string lease_name(const std::string& absolute_dir);

struct Lease {
  const std::string& place;  // absolute
  const Image& image;
  const std::vector<std::string>& layers;  // as unpacked_layers() gives them
};
// The record and empty directories for what will be written; its absolute path.
Result<std::string> make_lease(const Store& store, const Lease& lease, Undo& undo);

// The layers (the lowest first) below a writable directory that is made to look
// as their root does.
struct Writable {
  std::string upper;
  std::string work;
};
Result<UniqueFd> mount_writable(const std::vector<std::string>& layers, const Writable& writable);
