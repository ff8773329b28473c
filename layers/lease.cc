// SPDX-License-Identifier: Apache-2.0
#include "lease.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <memory>

#include "common/beneath.h"
#include "common/json.h"
#include "common/temp_dir.h"

#include "directory_names.h"
#include "overlay_mount.h"
#include "xattrs.h"

namespace {

std::string record_json(const Store& store, const Lease& lease) {
  const Image& image = lease.image;
  JsonWriter out;
  out.begin_object().member("bundle", lease.place).member("image", image.name);
  out.key("blobs").begin_array();
  out.value(image.descriptor.digest.text()).value(image.manifest.config.digest.text());
  for (const Descriptor& layer : image.manifest.layers) out.value(layer.digest.text());
  out.end_array().key("layers").begin_array();
  for (const std::string& layer : lease.layers) out.value(layer.substr(store.path().size() + 1));
  return out.end_array().end_object().take();
}

// The upper directory is what the root of the overlay shows: it must look as
// the uppermost layer that says anything about the root wants it.
Result<void> copy_root_attributes(const std::vector<std::string>& uppermost_first,
                                  const std::string& to) {
  struct stat st = {};
  st.st_mode = 0755;
  for (const std::string& layer : uppermost_first) {
    if (::getxattr(layer.c_str(), kRootUnsaid, nullptr, 0) >= 0) continue;
    if (::stat(layer.c_str(), &st) != 0) return errno_error("stat", layer);
    break;
  }
  const std::array<timespec, 2> times = {st.st_mtim, st.st_mtim};
  if (::chown(to.c_str(), st.st_uid, st.st_gid) != 0 ||
      ::chmod(to.c_str(), st.st_mode & 07777U) != 0 ||
      ::utimensat(AT_FDCWD, to.c_str(), times.data(), 0) != 0)
    return errno_error("change owner of", to);
  return {};
}

Result<BundleRecord> parse_record(const std::string& id, const std::string& text) {
  const JsonDocument document = TRY(JsonDocument::parse("bundles/" + id + "/record.json", text));
  const JsonView root = document.root();
  BundleRecord out{id, {}, {}, {}, {}};
  const JsonView bundle = TRY(root.at("bundle"));
  const JsonView image = TRY(root.at("image"));
  const JsonView blobs = TRY(root.at("blobs"));
  const JsonView layers = TRY(root.at("layers"));
  out.bundle = TRY(bundle.string());
  out.image = TRY(image.string());
  for (const std::string& blob : TRY(blobs.strings()))
    out.blobs.push_back(TRY(Digest::parse(blob)));
  out.layers = TRY(layers.strings());
  return out;
}

}  // namespace

Result<std::string> absolute_place(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  const auto slash = trimmed.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : trimmed.substr(0, slash + 1);
  const std::string name = trimmed.substr(slash == std::string::npos ? 0 : slash + 1);
  if (!is_plain_name(name)) return Error{"'" + path + "' names no directory to make"};
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(parent.c_str(), nullptr), ::free);
  if (!real) return errno_error("resolve", parent);
  const std::string base = real.get();
  return (base == "/" ? "" : base) + "/" + name;
}

std::string lease_name(const std::string& absolute_dir) {
  return "bundles/" + digest_of(absolute_dir).hex().substr(0, 16);
}

Result<std::string> make_lease(const Store& store, const Lease& lease, Undo& undo) {
  const std::string place = lease_name(lease.place);
  const std::string record = record_json(store, lease);
  if (::mkdirat(store.root().get(), place.c_str(), 0700) != 0) {
    if (errno == EEXIST)
      return Error{"this directory is in use already", EEXIST,
                   "remove it first with: layers bundle --remove DIR, or layers umount DIR"};
    return errno_error("create directory", place);
  }
  undo.add([&store, place] { (void)remove_tree(store.root(), place); });
  for (const char* name : {"/upper", "/work"})
    if (::mkdirat(store.root().get(), (place + name).c_str(), 0755) != 0)
      return errno_error("create directory", place + name);
  TRY(replace_file_at(store.root(), place + "/record.json", record, 0600));
  return store.path() + "/" + place;
}

Result<UniqueFd> mount_writable(const std::vector<std::string>& layers, const Writable& writable) {
  OverlayPlan plan;
  plan.lowers.assign(layers.rbegin(), layers.rend());
  plan.upper = writable.upper;
  plan.work = writable.work;
  const std::string empty = writable.work + ".empty";
  if (plan.lowers.empty()) {  // an image without layers is an empty root
    if (::mkdir(empty.c_str(), 0755) != 0) return errno_error("create directory", empty);
    plan.lowers.push_back(empty);
  }
  TRY(copy_root_attributes(plan.lowers, plan.upper));
  return mount_overlay(plan);
}

Result<std::vector<BundleRecord>> bundle_records(FdRef store_root) {
  std::vector<BundleRecord> out;
  const UniqueFd dir = TRY(open_at(store_root, "bundles", O_RDONLY | O_DIRECTORY));
  for (const std::string& id : TRY(directory_names(dir, "bundles"))) {
    auto text = read_file_at(dir, id + "/record.json");
    if (!text && text.error().code == ENOENT) continue;  // being made, or removed
    if (!text) return std::move(text).error();
    out.push_back(TRY(parse_record(id, *text)));
  }
  return out;
}

Result<std::optional<BundleRecord>> find_bundle(FdRef store_root, const std::string& dir) {
  const auto bundle = absolute_place(dir);
  if (!bundle) return std::optional<BundleRecord>();
  const std::string name = lease_name(*bundle);
  auto text = read_file_at(store_root, name + "/record.json");
  if (!text && text.error().code == ENOENT) return std::optional<BundleRecord>();
  if (!text) return std::move(text).error();
  return std::optional(TRY(parse_record(name.substr(name.rfind('/') + 1), *text)));
}
