// SPDX-License-Identifier: Apache-2.0
// transfer.h - images from anywhere to anywhere.
//
//   source: registry, layout, archive, store  ──▶  target: registry, layout, archive, store
//
// Documents are copied as bytes, never written anew, so an image keeps its digest.
// Blobs go before the manifests that name them, and the name comes last: who looks
// meanwhile sees the old image or nothing.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "progress.h"
#include "registry.h"
#include "store.h"

class ImageSource {
 public:
  ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;
  virtual ~ImageSource() = default;
  // What the user named: a manifest, or an index of several.
  virtual Result<ImageDocument> root() = 0;
  virtual Result<std::string> document(const Descriptor& descriptor) = 0;  // verified
  virtual Result<UniqueFd> blob(const Descriptor& descriptor, Progress& progress) = 0;
};

class ImageTarget {
 public:
  ImageTarget() = default;
  ImageTarget(const ImageTarget&) = delete;
  ImageTarget& operator=(const ImageTarget&) = delete;
  virtual ~ImageTarget() = default;
  virtual Result<bool> has(const Descriptor& blob) = 0;
  // Whether it can get the blob without its bytes.
  virtual Result<bool> link(const Descriptor& /*blob*/) { return false; }
  // Verified by whoever stores it: what does not match its digest is never taken.
  virtual Result<void> put(const Descriptor& blob, FdRef file, Progress& progress) = 0;
  virtual Result<void> put_document(const ImageDocument& document) = 0;
  // The image is whole: give it its name.
  virtual Result<void> finish(const ImageDocument& root) = 0;
  // Whether blobs must come one after the other, in the order of the manifest.
  virtual bool sequential() const { return false; }
};

struct CopyOptions {
  Platform platform = host_platform();
  bool all = false;  // of an index: every entry, and the index itself
  unsigned jobs = 4;
};

// The document that the target now knows by its name.
Result<ImageDocument> copy_image(ImageSource& source, ImageTarget& target,
                                 const CopyOptions& options, Progress& progress);

// --- the kinds of source ---

class LayoutSource final : public ImageSource {
 public:
  LayoutSource(const Layout& layout, Descriptor root) : layout_(&layout), root_(std::move(root)) {}
  Result<ImageDocument> root() override;
  Result<std::string> document(const Descriptor& descriptor) override;
  Result<UniqueFd> blob(const Descriptor& descriptor, Progress& progress) override;

 private:
  const Layout* layout_;
  Descriptor root_;
};

// Blobs are fetched into the store's tmp/, where an interrupted one waits to be
// continued, and become the store's only when the image is whole.
class RegistrySource final : public ImageSource {
 public:
  RegistrySource(Registry& registry, const Store& store) : registry_(&registry), store_(&store) {}
  // What came from a registry that lies is removed; what a broken connection
  // interrupted stays for the next run.
  ~RegistrySource() override;
  Result<ImageDocument> root() override;
  Result<std::string> document(const Descriptor& descriptor) override;
  Result<UniqueFd> blob(const Descriptor& descriptor, Progress& progress) override;

  bool holds(const Digest& digest) const;
  Result<UniqueFd> open(const Descriptor& descriptor) const;  // held, or of the store
  Result<void> adopt_all();                                   // everything held, into the store

 private:
  Result<void> fetch(const Descriptor& descriptor, Progress& progress);
  Registry* registry_;
  const Store* store_;
  mutable std::mutex mutex_;
  std::set<Digest> held_;
  bool keep_ = false;
};

// --- the kinds of target; archives: see archive_target.h ---

class StoreTarget final : public ImageTarget {
 public:
  // `fetched`: what it holds for this very store need not be copied.
  StoreTarget(const Store& store, std::string name, RegistrySource* fetched = nullptr)
      : store_(&store), name_(std::move(name)), fetched_(fetched) {}
  Result<bool> has(const Descriptor& blob) override;
  Result<void> put(const Descriptor& blob, FdRef file, Progress& progress) override;
  Result<void> put_document(const ImageDocument& document) override;
  Result<void> finish(const ImageDocument& root) override;
  const std::optional<Digest>& replaced() const { return replaced_; }

 private:
  Result<UniqueFd> open(const Descriptor& blob) const;
  Result<Platform> check(const ImageDocument& document) const;

  const Store* store_;
  std::string name_;
  RegistrySource* fetched_;
  std::vector<ImageDocument> documents_;
  std::optional<Digest> replaced_;
};

// An OCI layout that is not ours: created when missing, other images stay.
class LayoutTarget final : public ImageTarget {
 public:
  static Result<std::unique_ptr<LayoutTarget>> open(const std::string& path, std::string name);
  Result<bool> has(const Descriptor& blob) override;
  Result<void> put(const Descriptor& blob, FdRef file, Progress& progress) override;
  Result<void> put_document(const ImageDocument& document) override;
  Result<void> finish(const ImageDocument& root) override;

 private:
  LayoutTarget(std::string path, UniqueFd root, std::string name)
      : path_(std::move(path)), root_(std::move(root)), name_(std::move(name)) {}
  std::string path_;
  UniqueFd root_;
  std::string name_;
};

class RegistryTarget final : public ImageTarget {
 public:
  // Repositories of the same registry that have a blob, as far as we know; and one
  // that has all of them.
  struct Mounts {
    std::map<Digest, std::string> of_blobs = {};
    std::string of_all = {};
  };
  RegistryTarget(Registry& registry, Mounts mounts)
      : registry_(&registry), mounts_(std::move(mounts)) {}
  Result<bool> has(const Descriptor& blob) override;
  Result<bool> link(const Descriptor& blob) override;
  Result<void> put(const Descriptor& blob, FdRef file, Progress& progress) override;
  Result<void> put_document(const ImageDocument& document) override;
  Result<void> finish(const ImageDocument& root) override;

 private:
  Registry* registry_;
  Mounts mounts_;
};

// Copies the file into `to`, comparing size and digest.
Result<void> copy_verified(const Descriptor& blob, FdRef from, FdRef to, Progress& progress);
