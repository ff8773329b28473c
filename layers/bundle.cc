// SPDX-License-Identifier: Apache-2.0
#include "bundle.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/json.h"
#include "common/temp_dir.h"

#include "directory_names.h"
#include "layer_dirs.h"
#include "lease.h"
#include "overlay_mount.h"
#include "runtime_config.h"
#include "target_tree.h"
#include "user_lookup.h"

namespace {

constexpr const char* kMark = ".layers.json";  // in the bundle: where its store is

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

Result<void> mount_root(const std::vector<std::string>& layers, const std::string& lease,
                        const std::string& dir, Undo& undo) {
  auto mount = mount_writable(layers, {lease + "/upper", lease + "/work"});
  if (!mount) return std::move(mount).error().in("'" + lease + "'");
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

}  // namespace

Result<void> write_container_files(FdRef dir, const BundleOptions& options) {
  const std::string hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  TRY(write_file_at(dir, "hosts", hosts, 0644));
  TRY(write_file_at(dir, "hostname", options.hostname + "\n", 0644));
  return write_file_at(dir, "resolv.conf", resolv_conf(options), 0644);
}

Result<void> make_bundle(const Store& store, const Image& image, const std::string& dir,
                         const BundleOptions& options, const UnpackLimits& limits) {
  const std::string bundle = TRY(absolute_place(dir));
  const auto layers = TRY(unpacked_layers(store, image, limits));
  Undo undo;
  const UniqueFd bundle_fd = TRY(make_directory(bundle, undo));
  const std::string lease = TRY(make_lease(store, {bundle, image, layers}, undo));
  JsonWriter mark;
  mark.begin_object().member("store", store.path()).member("image", image.name).end_object();
  TRY(write_file_at(bundle_fd, kMark, mark.take(), 0600));
  TRY(mount_root(layers, lease, bundle, undo));
  TRY(write_container_files(bundle_fd, options));

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
  auto bundle = absolute_place(dir);
  if (!bundle && bundle.error().code == ENOENT) return {};
  TRY(Result<void>(bundle ? Result<void>() : Result<void>(bundle.error())));
  const std::string lease = store_path + "/" + lease_name(*bundle);
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
