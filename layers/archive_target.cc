// SPDX-License-Identifier: Apache-2.0
#include "archive_target.h"

#include "common/json.h"

#include "file_stream.h"
#include "layer_stream.h"

namespace {

bool is_config(const Descriptor& blob) {
  return blob.media_type == kOciConfig ||
         blob.media_type == "application/vnd.docker.container.image.v1+json";
}

Result<UniqueFd> again(FdRef file) {
  UniqueFd copy(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return errno_error("duplicate", "descriptor");
  if (::lseek(copy.get(), 0, SEEK_SET) != 0) return errno_error("rewind", "blob");
  return copy;
}

}  // namespace

// --- OCI ---

Result<std::unique_ptr<OciArchiveTarget>> OciArchiveTarget::create(const std::string& path,
                                                                   std::string name) {
  auto file = TRY(ArchiveFile::create(path));
  TRY(file->add("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  return std::unique_ptr<OciArchiveTarget>(new OciArchiveTarget(std::move(file), std::move(name)));
}

Result<bool> OciArchiveTarget::has(const Descriptor& blob) {
  return written_.contains(blob.digest);
}

Result<void> OciArchiveTarget::put(const Descriptor& blob, FdRef file, Progress& progress) {
  TRY(file_->begin(Layout::blob_path(blob.digest), blob.size));
  TRY(copy_verified(blob, file, file_->out(), progress));
  written_.insert(blob.digest);
  return file_->end(blob.size);
}

Result<void> OciArchiveTarget::put_document(const ImageDocument& document) {
  if (!written_.insert(document.descriptor.digest).second) return {};
  return file_->add(Layout::blob_path(document.descriptor.digest), document.bytes);
}

Result<void> OciArchiveTarget::finish(const ImageDocument& root) {
  TRY(put_document(root));
  JsonWriter out;
  out.begin_object().member("schemaVersion", 2).member("mediaType", kOciIndex);
  out.key("manifests").begin_array().raw(descriptor_json(root.descriptor, name_));
  TRY(file_->add("index.json", out.end_array().end_object().take()));
  return file_->close();
}

// --- docker ---

Result<std::unique_ptr<DockerArchiveTarget>> DockerArchiveTarget::create(const std::string& path,
                                                                         std::string name,
                                                                         const Store& scratch) {
  auto file = TRY(ArchiveFile::create(path));
  return std::unique_ptr<DockerArchiveTarget>(
      new DockerArchiveTarget(std::move(file), std::move(name), scratch));
}

Result<bool> DockerArchiveTarget::has(const Descriptor& blob) {
  return members_.contains(blob.digest);
}

Result<void> DockerArchiveTarget::put(const Descriptor& blob, FdRef file, Progress& progress) {
  if (!is_config(blob)) {
    TRY(put_layer(blob, file));
    progress.advance(blob.size);
    return {};
  }
  const std::string name = blob.digest.hex() + ".json";
  TRY(file_->begin(name, blob.size));
  TRY(copy_verified(blob, file, file_->out(), progress));
  members_[blob.digest] = name;
  return file_->end(blob.size);
}

Result<void> DockerArchiveTarget::put_layer(const Descriptor& blob, FdRef file) {
  const TempDir place = TRY(scratch_->scratch());
  const UniqueFd plain = TRY(open_at(place.fd(), "layer", O_RDWR | O_CREAT | O_EXCL, 0600));
  LayerExpectation expected;
  expected.blob = blob.digest;
  expected.blob_size = blob.size;
  LayerStream stream(std::make_unique<FileStream>(TRY(again(file)), blob.digest.text()), expected);
  for (;;) {
    const std::string_view piece = TRY(stream.next(static_cast<std::size_t>(-1)));
    if (piece.empty()) break;
    TRY(write_all(plain, piece, "layer"));
  }
  const LayerFacts facts = TRY(stream.finish());
  const std::string name = facts.diff_id.hex() + ".tar";
  members_[blob.digest] = name;
  if (!written_.insert(name).second) return {};
  TRY(file_->begin(name, facts.diff_size));
  FileStream bytes(TRY(again(plain)), "layer");
  for (;;) {
    const std::string_view piece = TRY(bytes.next(static_cast<std::size_t>(-1)));
    if (piece.empty()) break;
    TRY(write_all(file_->out(), piece, "archive"));
  }
  return file_->end(facts.diff_size);
}

Result<void> DockerArchiveTarget::put_document(const ImageDocument& /*document*/) {
  return Error{"a docker archive has no place for an image of several platforms", 0,
               "choose one with --platform, without --all"};
}

Result<void> DockerArchiveTarget::finish(const ImageDocument& root) {
  const Manifest manifest = TRY(parse_manifest("manifest", root.bytes));
  JsonWriter out;
  out.begin_array().begin_object().member("Config", members_[manifest.config.digest]);
  out.key("RepoTags").begin_array();
  if (!name_.empty()) out.value(name_);
  out.end_array().key("Layers").begin_array();
  for (const Descriptor& layer : manifest.layers) out.value(members_[layer.digest]);
  TRY(file_->add("manifest.json", out.end_array().end_object().end_array().take()));
  return file_->close();
}
