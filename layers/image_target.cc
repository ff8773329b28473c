// SPDX-License-Identifier: Apache-2.0
// image_target.cc - where images go: the store, a layout, a registry.
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/json.h"

#include "file_stream.h"
#include "transfer.h"

namespace {

constexpr std::string_view kMarker = R"({"imageLayoutVersion":"1.0.0"})";

}  // namespace

Result<void> copy_verified(const Descriptor& blob, FdRef from, FdRef to, Progress& progress) {
  const std::string name = "blob " + blob.digest.text();
  FileStream source(UniqueFd(::fcntl(from.get(), F_DUPFD_CLOEXEC, 0)), name);
  Sha256 hash;
  std::uint64_t size = 0;
  for (;;) {
    const std::string_view piece = TRY(source.next(static_cast<std::size_t>(-1)));
    if (piece.empty()) break;
    hash.update(piece);
    size += piece.size();
    TRY(write_all(to, piece, name));
    progress.advance(piece.size());
  }
  const Digest found = hash.finish();
  if (found == blob.digest && size == blob.size) return {};
  return Error{name + ": digest does not match its content, which is " + found.text(), 0,
               "the copy is damaged; fetch the image again"};
}

// --- the store ---

Result<bool> StoreTarget::has(const Descriptor& blob) {
  return store_->layout().has_blob(blob.digest);
}

Result<void> StoreTarget::put(const Descriptor& blob, FdRef file, Progress& progress) {
  if (fetched_ != nullptr && fetched_->holds(blob.digest)) return {};
  if (store_->layout().has_blob(blob.digest)) return {};
  const TempDir place = TRY(store_->scratch());
  const UniqueFd copy = TRY(open_at(place.fd(), "blob", O_RDWR | O_CREAT | O_EXCL, 0600));
  TRY(copy_verified(blob, file, copy, progress));
  return store_->adopt(copy, blob.digest);
}

Result<void> StoreTarget::put_document(const ImageDocument& document) {
  if (!document.descriptor.is_index()) (void)TRY(check(document));
  documents_.push_back(document);
  return {};
}

Result<UniqueFd> StoreTarget::open(const Descriptor& blob) const {
  return fetched_ != nullptr ? fetched_->open(blob) : store_->layout().open_blob(blob);
}

// Nothing gets a name here that could not be used: sizes and configuration must fit.
Result<Platform> StoreTarget::check(const ImageDocument& document) const {
  const std::string name = "manifest " + document.descriptor.digest.text();
  const Manifest manifest = TRY(parse_manifest(name, document.bytes));
  const UniqueFd file = TRY(open(manifest.config));
  const std::string text = TRY(read_all(file, "configuration", kDocumentLimit));
  const ImageConfig config = TRY(parse_image_config("configuration of " + name, text));
  if (config.diff_ids.size() != manifest.layers.size())
    return Error{name + ": has " + std::to_string(manifest.layers.size()) +
                 " layers, its configuration " + std::to_string(config.diff_ids.size()) +
                 " diff_ids"};
  for (const Descriptor& layer : manifest.layers) TRY(open(layer));
  return config.platform;
}

Result<void> StoreTarget::finish(const ImageDocument& root) {
  Descriptor named = root.descriptor;
  if (!named.is_index()) named.platform = TRY(check(root));
  if (fetched_ != nullptr) TRY(fetched_->adopt_all());
  for (const ImageDocument& document : documents_)
    TRY(store_->put(document.bytes, document.descriptor.media_type));
  TRY(store_->put(root.bytes, root.descriptor.media_type));
  replaced_ = TRY(store_->tag(named, name_));
  return {};
}

// --- a layout ---

Result<std::unique_ptr<LayoutTarget>> LayoutTarget::open(const std::string& path,
                                                         std::string name) {
  TRY(make_directories(path, 0755));
  UniqueFd root = TRY(open_directory(path));
  for (const char* directory : {"blobs", "blobs/sha256"})
    if (::mkdirat(root.get(), directory, 0755) != 0 && errno != EEXIST)
      return errno_error("create directory", path + "/" + directory);
  if (::faccessat(root.get(), "oci-layout", F_OK, 0) != 0)
    TRY(replace_file_at(root, "oci-layout", kMarker));
  return std::unique_ptr<LayoutTarget>(new LayoutTarget(path, std::move(root), std::move(name)));
}

Result<bool> LayoutTarget::has(const Descriptor& blob) {
  struct stat st = {};
  return ::fstatat(root_.get(), Layout::blob_path(blob.digest).c_str(), &st, 0) == 0 &&
         S_ISREG(st.st_mode) && static_cast<std::uint64_t>(st.st_size) == blob.size;
}

Result<void> LayoutTarget::put(const Descriptor& blob, FdRef file, Progress& progress) {
  const std::string path = Layout::blob_path(blob.digest);
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  const UniqueFd copy =
      TRY(open_at(root_, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  auto copied = copy_verified(blob, file, copy, progress);
  if (copied && ::fdatasync(copy.get()) != 0) copied = errno_error("sync", path);
  if (copied && ::renameat(root_.get(), temporary.c_str(), root_.get(), path.c_str()) != 0)
    copied = errno_error("rename to", path);
  if (!copied) (void)::unlinkat(root_.get(), temporary.c_str(), 0);
  return copied;
}

Result<void> LayoutTarget::put_document(const ImageDocument& document) {
  return replace_file_at(root_, Layout::blob_path(document.descriptor.digest), document.bytes);
}

Result<void> LayoutTarget::finish(const ImageDocument& root) {
  TRY(put_document(root));
  // The directory is its own lock: a file for it would be left in somebody's layout.
  const UniqueFd lock = TRY(open_at(root_, ".", O_RDONLY | O_DIRECTORY));
  if (::flock(lock.get(), LOCK_EX) != 0) return errno_error("lock", path_);
  std::vector<Descriptor> entries;
  auto text = read_file_at(root_, "index.json", std::size_t{64} << 20);
  if (text)
    entries = TRY(parse_index(path_ + "/index.json", *text));
  else if (text.error().code != ENOENT)
    return std::move(text).error();
  std::erase_if(entries, [&](const Descriptor& entry) {
    return name_.empty() ? entry.digest == root.descriptor.digest && !entry.ref_name()
                         : entry.ref_name() == name_;
  });
  JsonWriter out;
  out.begin_object().member("schemaVersion", 2).member("mediaType", kOciIndex);
  out.key("manifests").begin_array();
  for (const Descriptor& entry : entries) out.raw(entry.json);
  out.raw(descriptor_json(root.descriptor, name_)).end_array().end_object();
  return replace_file_at(root_, "index.json", out.take(), 0644, Sync::Yes);
}

// --- a registry ---

Result<bool> RegistryTarget::has(const Descriptor& blob) {
  return registry_->has_blob(blob);
}

Result<bool> RegistryTarget::link(const Descriptor& blob) {
  const auto found = mounts_.of_blobs.find(blob.digest);
  const std::string& from = found == mounts_.of_blobs.end() ? mounts_.of_all : found->second;
  if (from.empty()) return false;
  return registry_->mount_blob(blob, from);
}

Result<void> RegistryTarget::put(const Descriptor& blob, FdRef file, Progress& progress) {
  return registry_->push_blob(blob, file, progress);
}

Result<void> RegistryTarget::put_document(const ImageDocument& document) {
  return registry_->put_manifest(document, document.descriptor.digest.text());
}

Result<void> RegistryTarget::finish(const ImageDocument& root) {
  return registry_->put_manifest(root, registry_->reference().version());
}
