// SPDX-License-Identifier: Apache-2.0
// archive_target.h - images into one file: a tar of an OCI layout, or what
// `docker load` and `podman load` read.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "archive_file.h"
#include "transfer.h"

class OciArchiveTarget final : public ImageTarget {
 public:
  static Result<std::unique_ptr<OciArchiveTarget>> create(const std::string& path,
                                                          std::string name);
  Result<bool> has(const Descriptor& blob) override;
  Result<void> put(const Descriptor& blob, FdRef file, Progress& progress) override;
  Result<void> put_document(const ImageDocument& document) override;
  Result<void> finish(const ImageDocument& root) override;
  bool sequential() const override { return true; }

 private:
  OciArchiveTarget(std::unique_ptr<ArchiveFile> file, std::string name)
      : file_(std::move(file)), name_(std::move(name)) {}
  std::unique_ptr<ArchiveFile> file_;
  std::string name_;
  std::set<Digest> written_;
};

// Layers are stored as plain tars: not every reader decompresses them.
class DockerArchiveTarget final : public ImageTarget {
 public:
  // `scratch` is where a layer's size is found out before it is written.
  static Result<std::unique_ptr<DockerArchiveTarget>> create(const std::string& path,
                                                             std::string name,
                                                             const Store& scratch);
  Result<bool> has(const Descriptor& blob) override;
  Result<void> put(const Descriptor& blob, FdRef file, Progress& progress) override;
  Result<void> put_document(const ImageDocument& document) override;
  Result<void> finish(const ImageDocument& root) override;
  bool sequential() const override { return true; }

 private:
  DockerArchiveTarget(std::unique_ptr<ArchiveFile> file, std::string name, const Store& scratch)
      : file_(std::move(file)), name_(std::move(name)), scratch_(&scratch) {}
  Result<void> put_layer(const Descriptor& blob, FdRef file);

  std::unique_ptr<ArchiveFile> file_;
  std::string name_;
  const Store* scratch_;
  std::map<Digest, std::string> members_;  // of blobs
  std::set<std::string> written_;
};
