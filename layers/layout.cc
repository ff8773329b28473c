// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <sys/stat.h>

#include <cerrno>

#include "common/beneath.h"

namespace {

constexpr int kDeepestIndex = 8;  // indexes within indexes
constexpr std::size_t kIndexLimit = std::size_t{64} << 20;

Error damaged(const Descriptor& descriptor, const std::string& what) {
  return Error{"blob " + descriptor.digest.text() + ": " + what, 0,
               "the copy is damaged or incomplete; import or fetch the image again"};
}

}  // namespace

Result<Layout> Layout::open(const std::string& path) {
  auto root = open_directory(path);
  if (!root) return std::move(root).error().in("OCI layout");
  auto marker = open_in_root(*root, "oci-layout", O_RDONLY | O_NONBLOCK);
  if (!marker)
    return std::move(marker)
        .error()
        .in("'" + path + "' is no OCI image layout")
        .with_hint("expected a directory with oci-layout, index.json and blobs/");
  const std::string text = TRY(read_all(*marker, "oci-layout", kDocumentLimit));
  const JsonDocument document = TRY(JsonDocument::parse(path + "/oci-layout", text));
  const JsonView version = TRY(document.root().at("imageLayoutVersion"));
  if (TRY(version.string()) != "1.0.0") return version.error("only version 1.0.0 is supported");
  return Layout(path, std::move(*root));
}

Result<std::vector<Descriptor>> Layout::index() const {
  const UniqueFd file = TRY(open_in_root(root_, "index.json", O_RDONLY | O_NONBLOCK));
  return parse_index(path_ + "/index.json", TRY(read_all(file, "index.json", kIndexLimit)));
}

bool Layout::has_blob(const Digest& digest) const {
  struct stat st = {};
  return ::fstatat(root_.get(), blob_path(digest).c_str(), &st, 0) == 0 && S_ISREG(st.st_mode);
}

Result<UniqueFd> Layout::open_blob(const Descriptor& descriptor) const {
  // O_NONBLOCK: a FIFO in its place must not make us wait.
  auto file = open_in_root(root_, blob_path(descriptor.digest), O_RDONLY | O_NONBLOCK);
  if (!file && file.error().code == ENOENT) return damaged(descriptor, "is missing");
  if (!file) return file;
  struct stat st = {};
  if (::fstat(file->get(), &st) != 0) return errno_error("stat", descriptor.digest.text());
  if (!S_ISREG(st.st_mode)) return damaged(descriptor, "is not a regular file");
  const auto size = static_cast<std::uint64_t>(st.st_size);
  if (size != descriptor.size)
    return damaged(descriptor, (size < descriptor.size ? "is truncated: " : "is too long: ") +
                                   std::to_string(size) + " bytes instead of " +
                                   std::to_string(descriptor.size));
  return file;
}

Result<std::string> Layout::read_blob(const Descriptor& descriptor) const {
  if (descriptor.size > kDocumentLimit)
    return Error{"document " + descriptor.digest.text() + " claims " +
                 std::to_string(descriptor.size) + " bytes: more than 4 MiB"};
  const UniqueFd file = TRY(open_blob(descriptor));
  std::string text = TRY(read_all(file, descriptor.digest.text(), kDocumentLimit));
  if (digest_of(text) != descriptor.digest)
    return damaged(descriptor, "digest does not match its content");
  return text;
}

Result<Descriptor> Layout::find(const std::optional<std::string>& tag) const {
  const std::vector<Descriptor> entries = TRY(index());
  std::vector<Descriptor> found;
  for (const Descriptor& entry : entries)
    if (!tag || entry.ref_name() == tag) found.push_back(entry);
  if (found.size() == 1) return found.front();
  std::string names;
  for (const Descriptor& entry : entries)
    names.append(names.empty() ? "" : ", ").append(entry.ref_name().value_or("(no name)"));
  if (found.empty())
    return Error{tag ? "'" + path_ + "' has no image '" + *tag + "'; it has: " + names
                     : "'" + path_ + "' is empty"};
  if (!tag)
    return Error{"'" + path_ + "' has several images: " + names, 0, "name one: oci:PATH:TAG"};
  // One name for several platforms, each with a descriptor of its own.
  return choose_platform(found, host_platform(), *tag);
}

Result<Image> Layout::load(const std::string& name, Descriptor descriptor,
                           const Platform& wanted) const {
  std::string text = TRY(read_blob(descriptor));
  for (int depth = 0; descriptor.is_index(); ++depth) {
    if (depth == kDeepestIndex) return Error{"'" + name + "': too many indexes within indexes"};
    const auto entries = TRY(parse_index(descriptor.digest.text(), text));
    descriptor = TRY(choose_platform(entries, wanted, name));
    text = TRY(read_blob(descriptor));
  }
  Manifest manifest = TRY(parse_manifest("manifest " + descriptor.digest.text(), text));
  const std::string config_text = TRY(read_blob(manifest.config));
  ImageConfig config =
      TRY(parse_image_config("configuration " + manifest.config.digest.text(), config_text));
  if (config.diff_ids.size() != manifest.layers.size())
    return Error{"'" + name + "': the manifest has " + std::to_string(manifest.layers.size()) +
                 " layers, its configuration " + std::to_string(config.diff_ids.size()) +
                 " diff_ids"};
  return Image{name, std::move(descriptor), std::move(manifest), std::move(config)};
}
