// SPDX-License-Identifier: Apache-2.0
#include "bundle.h"

#include <linux/limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

#include "common/beneath.h"
#include "common/json.h"
#include "common/temp_dir.h"

#include "directory_names.h"
#include "layer_dirs.h"
#include "overlay_mount.h"
#include "runtime_config.h"
#include "target_tree.h"
#include "user_lookup.h"
#include "xattrs.h"

namespace {

constexpr const char* kMark = ".layers.json";  // in the bundle: where its store is

// Runs when a step fails, in reverse order; what has succeeded as a whole stays.
class Undo {
 public:
  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) (*step)();
  }
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void commit() { steps_.clear(); }

 private:
  std::vector<std::function<void()>> steps_;
};

// Absolute, with no link in it except perhaps the last name, which need not exist.
Result<std::string> absolute(const std::string& path) {
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

// A bundle is known by where it is: found again even when its files are lost.
std::string bundle_id(const std::string& absolute_dir) {
  return digest_of(absolute_dir).hex().substr(0, 16);
}

std::string record_json(const Store& store, const Image& image, const std::string& bundle,
                        const std::vector<std::string>& layers) {
  JsonWriter out;
  out.begin_object().member("bundle", bundle).member("image", image.name);
  out.key("blobs").begin_array();
  out.value(image.descriptor.digest.text()).value(image.manifest.config.digest.text());
  for (const Descriptor& layer : image.manifest.layers) out.value(layer.digest.text());
  out.end_array().key("layers").begin_array();
  for (const std::string& layer : layers) out.value(layer.substr(store.path().size() + 1));
  return out.end_array().end_object().take();
}

// The record and the writable part, below bundles/ID in the store.
Result<std::string> make_lease(const Store& store, const std::string& id, const std::string& record,
                               Undo& undo) {
  const std::string place = "bundles/" + id;
  if (::mkdirat(store.root().get(), place.c_str(), 0700) != 0) {
    if (errno == EEXIST)
      return Error{"a bundle of this directory is in use already", EEXIST,
                   "remove it first with: layers bundle --remove DIR"};
    return errno_error("create directory", place);
  }
  undo.add([&store, place] { (void)remove_tree(store.root(), place); });
  for (const char* name : {"/upper", "/work"})
    if (::mkdirat(store.root().get(), (place + name).c_str(), 0755) != 0)
      return errno_error("create directory", place + name);
  TRY(replace_file_at(store.root(), place + "/record.json", record, 0600));
  return store.path() + "/" + place;
}

Result<UniqueFd> make_directory(const std::string& dir, Undo& undo) {
  if (::mkdir(dir.c_str(), 0700) != 0) {
    if (errno != EEXIST) return errno_error("create directory", dir);
    const UniqueFd there = TRY(open_at(kCwd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const auto names = TRY(directory_names(there, dir));
    if (!names.empty())
      return Error{"'" + dir + "' exists and is not empty", EEXIST,
                   "choose another directory, or remove the bundle with: layers bundle --remove"};
  }
  undo.add([dir] { (void)remove_tree(kCwd, dir); });
  return open_at(kCwd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
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

Result<void> mount_root(const Store& store, const std::vector<std::string>& layers,
                        const std::string& lease, const std::string& dir, Undo& undo) {
  OverlayPlan plan;
  plan.lowers.assign(layers.rbegin(), layers.rend());
  plan.upper = lease + "/upper";
  plan.work = lease + "/work";
  std::string empty;
  if (plan.lowers.empty()) {  // an image without layers is an empty root
    empty = lease + "/empty";
    if (::mkdir(empty.c_str(), 0755) != 0) return errno_error("create directory", empty);
    plan.lowers.push_back(empty);
  }
  TRY(copy_root_attributes(plan.lowers, plan.upper));
  auto mount = mount_overlay(plan);
  if (!mount) return std::move(mount).error().in("store '" + store.path() + "'");
  const std::string rootfs = dir + "/rootfs";
  if (::mkdir(rootfs.c_str(), 0755) != 0) return errno_error("create directory", rootfs);
  TRY(attach_mount(*mount, rootfs));
  undo.add([rootfs] { (void)detach_mount(rootfs); });
  return {};
}

// Places where the runtime mounts: a link there would lead it to the host (CVE-2026-41579).
Result<void> check_mount_points(FdRef rootfs) {
  for (const char* name : {"proc", "sys", "dev"}) {
    struct stat st = {};
    if (::fstatat(rootfs.get(), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
      return Error{"the image's /" + std::string(name) + " is not a directory"};
  }
  return {};
}

// As docker does: an image need not have the directory that it names. Links are
// followed inside the root only, also those that lead to nothing yet.
Result<void> make_working_directory(FdRef rootfs, const std::string& cwd) {
  class Nobody final : public TargetTree::Listener {
    Result<void> entered(const std::string&, FdRef, const struct stat&, bool) override {
      return {};
    }
    Result<bool> in_the_way(FdRef, const std::string&, const std::string&) override {
      return false;
    }
  };
  Nobody nobody;
  TargetTree tree(rootfs, nobody);
  auto made = tree.enter(clean_path(cwd), TargetTree::Missing::Make);
  if (!made) return std::move(made).error().in("working directory '" + cwd + "'");
  return {};
}

// Name servers of this machine that a container can reach: those on the
// loopback are not there in its own network.
std::string resolv_conf(const BundleOptions& options) {
  const auto text = read_file("/etc/resolv.conf", std::size_t{1} << 16);
  if (!text) return {};
  if (!options.own_network()) return *text;
  std::string out;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string line = text->substr(begin, end - begin);
    begin = end + 1;
    const bool loopback = line.starts_with("nameserver 127.") || line.starts_with("nameserver ::1");
    if (!loopback) out.append(line).append("\n");
  }
  return out;
}

Result<void> write_files(FdRef dir, const BundleOptions& options) {
  const std::string hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  TRY(write_file_at(dir, "hosts", hosts, 0644));
  TRY(write_file_at(dir, "hostname", options.hostname + "\n", 0644));
  return write_file_at(dir, "resolv.conf", resolv_conf(options), 0644);
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

Result<void> make_bundle(const Store& store, const Image& image, const std::string& dir,
                         const BundleOptions& options, const UnpackLimits& limits) {
  const std::string bundle = TRY(absolute(dir));
  const auto layers = TRY(unpacked_layers(store, image, limits));
  Undo undo;
  const UniqueFd bundle_fd = TRY(make_directory(bundle, undo));
  const std::string lease =
      TRY(make_lease(store, bundle_id(bundle), record_json(store, image, bundle, layers), undo));
  JsonWriter mark;
  mark.begin_object().member("store", store.path()).member("image", image.name).end_object();
  TRY(write_file_at(bundle_fd, kMark, mark.take(), 0600));
  TRY(mount_root(store, layers, lease, bundle, undo));
  TRY(write_files(bundle_fd, options));

  const UniqueFd rootfs = TRY(open_directory(bundle + "/rootfs"));
  TRY(check_mount_points(rootfs));
  const ResolvedUser user = TRY(resolve_user(rootfs, options.user.value_or(image.config.user)));
  const std::string config = TRY(runtime_config(image.config, options, bundle, user));
  const std::string cwd = TRY(working_directory(image.config, options));
  TRY(make_working_directory(rootfs, cwd));
  TRY(write_file_at(bundle_fd, "config.json", config, 0600));
  undo.commit();
  return {};
}

std::string store_of_bundle(const std::string& dir, const std::string& otherwise) {
  const auto text = read_file(dir + "/" + kMark);
  if (!text) return otherwise;
  const auto document = JsonDocument::parse(kMark, *text);
  if (!document) return otherwise;
  const auto store = document->root().find("store");
  const auto path = store ? store->string() : Result<std::string>(otherwise);
  return path ? *path : otherwise;
}

Result<void> remove_bundle(const std::string& store_path, const std::string& dir) {
  auto bundle = absolute(dir);
  if (!bundle && bundle.error().code == ENOENT) return {};
  TRY(Result<void>(bundle ? Result<void>() : Result<void>(bundle.error())));
  const std::string lease = store_path + "/bundles/" + bundle_id(*bundle);
  struct stat st = {};
  const bool is_bundle =
      ::lstat((*bundle + "/" + kMark).c_str(), &st) == 0 || ::lstat(lease.c_str(), &st) == 0;
  if (!is_bundle) {
    if (::lstat(bundle->c_str(), &st) != 0 && errno == ENOENT) return {};
    return Error{"'" + *bundle + "' is no bundle of this program; nothing is removed"};
  }
  while (TRY(detach_mount(*bundle + "/rootfs"))) {
  }
  TRY(remove_tree(kCwd, *bundle));
  return remove_tree(kCwd, lease);
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
  const auto bundle = absolute(dir);
  if (!bundle) return std::optional<BundleRecord>();
  const std::string id = bundle_id(*bundle);
  auto text = read_file_at(store_root, "bundles/" + id + "/record.json");
  if (!text && text.error().code == ENOENT) return std::optional<BundleRecord>();
  if (!text) return std::move(text).error();
  return std::optional(TRY(parse_record(id, *text)));
}
