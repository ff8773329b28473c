// SPDX-License-Identifier: Apache-2.0
#include "step_root.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <ranges>

#include "layer_dirs.h"
#include "lease.h"
#include "overlay_mount.h"
#include "tree_changes.h"

Result<StepRoot> StepRoot::open(const Store& store, const NewImage& image,
                                const UnpackLimits& limits) {
  const auto layers = TRY(unpacked_layers(store, image.image(), limits));
  StepRoot out(store, TRY(store.scratch()));
  out.lower_ = TRY(open_lower_tree(layers));
  for (const char* name : {"upper", "work", "bundle"})
    if (::mkdirat(out.scratch_.fd().get(), name, 0755) != 0)
      return errno_error("create directory", name);
  auto mount = mount_writable(layers, {out.scratch() + "/upper", out.scratch() + "/work"});
  if (!mount) return std::move(mount).error().in("store '" + store.path() + "'");
  out.root_ = std::move(*mount);
  return out;
}

StepRoot::~StepRoot() {
  for (const std::string& place : std::views::reverse(places_))
    (void)::umount2(place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
}

Result<std::string> StepRoot::attach() {
  const std::string place = TRY(mount_place("bundle/rootfs"));
  TRY(attach_mount(root_, place));
  return place;
}

Result<std::string> StepRoot::mount_place(const std::string& name) {
  const std::string place = scratch() + "/" + name;
  if (::mkdir(place.c_str(), 0755) != 0) return errno_error("create directory", place);
  places_.push_back(place);
  return place;
}

Result<std::optional<NewLayer>> StepRoot::take(Compression compression,
                                               const std::set<std::string>& mount_points) {
  const UniqueFd upper = TRY(open_at(scratch_.fd(), "upper", O_RDONLY | O_DIRECTORY));
  UpperOptions options;
  options.mount_points = mount_points;
  options.compare_root = lower_.fd && lower_.root_known;
  const auto changes = TRY(upper_changes(upper, lower_.fd, options));
  if (changes.empty()) return std::optional<NewLayer>();
  return std::optional(TRY(store_changes(*store_, compression, upper, changes)));
}
