// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/json.h"

#include "byte_stream.h"
#include "closest.h"
#include "file_stream.h"
#include "reference.h"

namespace {

constexpr auto kDirectories = std::to_array<const char*>(
    {"blobs", "blobs/sha256", "layers", "layers/diff", "layers/chain", "bundles", "tmp"});
// What other tools put before a short name; the user need not.
constexpr auto kImplied =
    std::to_array<std::string_view>({"", "docker.io/library/", "docker.io/", "localhost/"});
std::string short_name(std::string_view name) {
  for (const std::string_view prefix : kImplied)
    if (!prefix.empty() && name.starts_with(prefix)) return std::string(name.substr(prefix.size()));
  return std::string(name);
}

constexpr std::string_view kMarker = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::string_view kEmptyIndex = R"({"schemaVersion":2,"manifests":[]})";

Result<void> create_missing(FdRef root) {
  for (const char* name : kDirectories)
    if (::mkdirat(root.get(), name, 0700) != 0 && errno != EEXIST)
      return errno_error("create directory", name);
  if (::faccessat(root.get(), "index.json", F_OK, 0) != 0)
    TRY(replace_file_at(root, "index.json", kEmptyIndex, 0600));
  if (::faccessat(root.get(), "oci-layout", F_OK, 0) != 0)
    TRY(replace_file_at(root, "oci-layout", kMarker, 0600));
  return {};
}

// Several names may be new at once and two processes may come first at once.
Result<UniqueFd> create_root(const std::string& path) {
  auto there = open_directory(path);
  if (there || there.error().code != ENOENT) return there;
  TRY(make_directories(path, 0755));
  if (::chmod(path.c_str(), 0700) != 0) return errno_error("change mode of", path);
  return open_directory(path);
}

bool is_hex_prefix(const std::string& text) {
  return text.size() >= 6 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::optional<Descriptor> find_by_digest(const std::vector<Descriptor>& entries,
                                         const std::string& text) {
  const bool whole = text.starts_with("sha256:");
  if (!whole && !is_hex_prefix(text)) return std::nullopt;
  const std::string prefix = whole ? text.substr(7) : text;
  for (const Descriptor& entry : entries)
    if (!prefix.empty() && entry.digest.hex().starts_with(prefix)) return entry;
  return std::nullopt;
}

}  // namespace

std::string descriptor_json(const Descriptor& descriptor, const std::string& name) {
  JsonWriter out;
  out.begin_object()
      .member("mediaType", descriptor.media_type)
      .member("digest", descriptor.digest.text())
      .member("size", descriptor.size);
  if (descriptor.platform) {
    out.key("platform").begin_object();
    out.member("architecture", descriptor.platform->architecture);
    out.member("os", descriptor.platform->os);
    if (!descriptor.platform->variant.empty()) out.member("variant", descriptor.platform->variant);
    out.end_object();
  }
  std::map<std::string, std::string> annotations = descriptor.annotations;
  annotations.erase(std::string(kRefName));
  if (!name.empty()) annotations[std::string(kRefName)] = name;
  if (!annotations.empty()) {
    out.key("annotations").begin_object();
    for (const auto& [key, value] : annotations) out.member(key, value);
    out.end_object();
  }
  return out.end_object().take();
}

Result<Store> Store::open(const std::string& path) {
  const UniqueFd root = TRY(create_root(path));
  ObjectLock lock = TRY(ObjectLock::store(root, ObjectLock::Mode::Shared));
  TRY(create_missing(root));
  return Store(TRY(Layout::open(path)), std::move(lock));
}

Result<TempDir> Store::scratch() const {
  return TempDir::create(path() + "/tmp", "");
}

Result<Descriptor> Store::put(std::string_view bytes, std::string_view media_type) const {
  Descriptor out{std::string(media_type), digest_of(bytes), bytes.size()};
  if (!layout_.has_blob(out.digest))
    TRY(replace_file_at(root(), Layout::blob_path(out.digest), bytes, 0600, Sync::Yes));
  return out;
}

Result<void> Store::adopt(FdRef file, const Digest& digest) const {
  // By descriptor: whatever happens to its name meanwhile, the bytes that were
  // hashed are those that are published.
  const std::string open_file = "/proc/self/fd/" + std::to_string(file.get());
  const std::string path = Layout::blob_path(digest);
  // Before it has a name: after a power cut a blob is whole or not there.
  if (::fdatasync(file.get()) != 0) return errno_error("sync", path);
  if (::fchmod(file.get(), 0600) != 0 || ::fchown(file.get(), ::geteuid(), ::getegid()) != 0)
    return errno_error("change mode of", path);
  if (::linkat(AT_FDCWD, open_file.c_str(), root().get(), path.c_str(), AT_SYMLINK_FOLLOW) != 0 &&
      errno != EEXIST)
    return errno_error("create", path);
  return {};
}

Result<void> Store::take_blob(const Layout& from, const Descriptor& descriptor, From where) const {
  if (layout_.has_blob(descriptor.digest)) return {};
  const std::string name = "blob " + descriptor.digest.text();
  UniqueFd original = TRY(from.open_blob(descriptor));
  std::optional<TempDir> place;
  UniqueFd file;
  if (where == From::Elsewhere) {
    place.emplace(TRY(scratch()));
    file = TRY(open_at(place->fd(), "blob", O_WRONLY | O_CREAT | O_EXCL, 0600));
  } else {
    file.reset(::fcntl(original.get(), F_DUPFD_CLOEXEC, 0));
  }
  FileStream source(std::move(original), name);
  Sha256 hash;
  for (;;) {
    const std::string_view piece = TRY(source.next(static_cast<std::size_t>(-1)));
    if (piece.empty()) break;
    hash.update(piece);
    if (where == From::Elsewhere) TRY(write_all(file, piece, name));
  }
  const Digest found = hash.finish();
  if (found != descriptor.digest)
    return Error{name + ": digest does not match its content, which is " + found.text(), 0,
                 "the copy is damaged; fetch the image again"};
  return adopt(file, descriptor.digest);
}

Result<Descriptor> Store::find(const std::string& name) const {
  const std::vector<Descriptor> entries = TRY(images());
  if (auto found = find_by_digest(entries, name)) return *found;
  const std::string wanted = TRY(full_name(name));
  std::vector<std::string> names;
  for (const std::string_view prefix : kImplied)
    for (const Descriptor& entry : entries)
      if (entry.ref_name() == std::string(prefix) + wanted) return entry;
  // "web:2" is "localhost:5000/web:2" when no other registry's is here.
  const auto is_meant = [&](const Descriptor& entry) {
    return entry.ref_name().value_or("").ends_with("/" + wanted);
  };
  const auto meant = std::ranges::find_if(entries, is_meant);
  if (meant != entries.end() && std::ranges::count_if(entries, is_meant) == 1) return *meant;
  for (const Descriptor& entry : entries)
    if (entry.ref_name()) names.push_back(short_name(*entry.ref_name()));
  const std::string near = closest(wanted, names);
  return Error{"no image '" + name + "' in " + path(), ENOENT,
               near.empty() ? "see them with: layers images" : "did you mean '" + near + "'?"};
}

Result<Image> Store::load(const std::string& name, const Platform& wanted) const {
  Descriptor descriptor = TRY(find(name));
  return layout_.load(name, std::move(descriptor), wanted);
}

Result<void> Store::edit_index(const Edit& edit) const {
  const ObjectLock lock = TRY(ObjectLock::index(root()));
  std::vector<Descriptor> entries = TRY(images());
  edit(entries);
  // The names of the blobs before the index that leads to them.
  const UniqueFd blobs = TRY(open_at(root(), "blobs/sha256", O_RDONLY | O_DIRECTORY));
  if (::fsync(blobs.get()) != 0) return errno_error("sync", "blobs/sha256");
  JsonWriter out;
  out.begin_object().member("schemaVersion", 2).member("mediaType", kOciIndex);
  out.key("manifests").begin_array();
  for (const Descriptor& entry : entries) out.raw(entry.json);
  out.end_array().end_object();
  return replace_file_at(root(), "index.json", out.take(), 0600, Sync::Yes);
}

Result<std::optional<Digest>> Store::tag(const Descriptor& manifest,
                                         const std::string& name) const {
  std::optional<Digest> replaced;
  TRY(edit_index([&](std::vector<Descriptor>& entries) {
    std::erase_if(entries, [&](const Descriptor& entry) {
      if (entry.ref_name() != name) return false;
      if (entry.digest != manifest.digest) replaced = entry.digest;
      return true;
    });
    Descriptor named = manifest;
    named.json = descriptor_json(manifest, name);
    entries.push_back(std::move(named));
  }));
  return replaced;
}

Result<bool> Store::untag(const std::string& name) const {
  bool found = false;
  TRY(edit_index([&](std::vector<Descriptor>& entries) {
    found = std::erase_if(entries, [&](const Descriptor& e) { return e.ref_name() == name; }) != 0;
  }));
  return found;
}
