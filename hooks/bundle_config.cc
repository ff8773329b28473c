// SPDX-License-Identifier: Apache-2.0
#include "bundle_config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/beneath.h"

Result<JsonDocument> read_bundle_config(const OciState& state) {
  if (state.bundle.empty()) return Error{"the state names no bundle"}.at_field("/bundle");
  const std::string path = state.bundle + "/config.json";
  const std::string text = TRY(read_file(path));
  return JsonDocument::parse(path, text);
}

std::string absolute_in(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

namespace {

// Where root of the container lies on the host, by the maps of its user namespace.
Result<unsigned> host_id_of_root(const JsonView& config, std::string_view key) {
  const auto linux_part = config.find("linux");
  const auto maps = linux_part ? linux_part->find(key) : std::nullopt;
  if (!maps) return 0U;
  for (const JsonView& map : TRY(maps->items())) {
    const JsonView inside = TRY(map.at("containerID"));
    if (TRY(inside.unsigned_integer()) != 0) continue;
    const JsonView outside = TRY(map.at("hostID"));
    return static_cast<unsigned>(TRY(outside.unsigned_integer()));
  }
  return 0U;
}

bool is_within(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory == "/" ? "/" : directory + "/");
}

}  // namespace

Result<ContainerFiles> ContainerFiles::open(const OciState& state, const JsonView& config) {
  ContainerFiles out;
  out.id_ = state.id;
  out.bundle_ = state.bundle;
  const JsonView root = TRY(config.at("root"));
  const JsonView path = TRY(root.at("path"));
  out.rootfs_ = absolute_in(state.bundle, TRY(path.string()));
  out.owner_uid_ = TRY(host_id_of_root(config, "uidMappings"));
  out.owner_gid_ = TRY(host_id_of_root(config, "gidMappings"));
  const auto mounts = config.find("mounts");
  if (!mounts) return out;
  for (const JsonView& mount : TRY(mounts->items())) {
    Bind bind;
    const JsonView destination = TRY(mount.at("destination"));
    bind.destination = TRY(destination.string());
    if (const auto source = mount.find("source"))
      bind.source = absolute_in(state.bundle, TRY(source->string()));
    const auto options = mount.find("options");
    const auto words = options ? TRY(options->strings()) : std::vector<std::string>();
    bind.bind = std::ranges::any_of(
        words, [](const std::string& word) { return word == "bind" || word == "rbind"; });
    out.mounts_.push_back(std::move(bind));
  }
  return out;
}

bool ContainerFiles::belongs_to_container(const std::string& source) const {
  return is_within(source, bundle_) ||
         (id_.size() >= 8 && source.find("/" + id_ + "/") != std::string::npos);
}

Result<ContainerFiles::Place> ContainerFiles::place_of(const std::string& path) const {
  // The last mount over the path is what the container sees.
  const auto over = std::ranges::find_if(mounts_.rbegin(), mounts_.rend(), [&](const Bind& mount) {
    return is_within(path, mount.destination);
  });
  if (over == mounts_.rend()) return Place{rootfs_, path, false};
  if (!over->bind)
    return Error{"'" + path + "' lies in a file system that is mounted on '" + over->destination +
                 "' when the container starts"};
  if (!belongs_to_container(over->source))
    return Error{"'" + path + "' is '" + over->source + "' of the host: it is left as it is"};
  if (path != over->destination)
    return Place{over->source, path.substr(over->destination.size()), true};
  const std::size_t slash = over->source.rfind('/');
  return Place{over->source.substr(0, slash + 1), over->source.substr(slash + 1), true};
}

namespace {

// O_NONBLOCK: a FIFO of the image must not stop us.
Result<UniqueFd> open_regular(FdRef root, const std::string& path, int flags) {
  UniqueFd fd = TRY(open_in_root(root, path, flags | O_NONBLOCK | O_NOCTTY));
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return errno_error("look at", path);
  if (!S_ISREG(info.st_mode)) return Error{"'" + path + "' of the container is no regular file"};
  return fd;
}

}  // namespace

Result<std::optional<std::string>> ContainerFiles::read(const std::string& path) const {
  const Place place = TRY(place_of(path));
  const UniqueFd root = TRY(open_directory(place.root));
  auto fd = open_regular(root, place.path, O_RDONLY);
  if (!fd && fd.error().code == ENOENT) return std::optional<std::string>();
  if (!fd) return std::move(fd).error();
  constexpr std::size_t kLimit = std::size_t{4} << 20;
  return std::optional(TRY(read_all(*fd, path, kLimit)));
}

Result<void> ContainerFiles::write(const std::string& path, std::string_view text) const {
  const Place place = TRY(place_of(path));
  const UniqueFd root = TRY(open_directory(place.root));
  if (place.in_place) {
    const UniqueFd fd = TRY(open_regular(root, place.path, O_WRONLY | O_TRUNC));
    return write_all(fd, text, path);
  }
  const std::size_t slash = place.path.rfind('/');
  const std::string name = place.path.substr(slash + 1);
  if (slash == std::string::npos || !is_plain_name(name))
    return Error{"'" + path + "' is no path of a file"};
  TRY(make_directories_in_root(root, place.path.substr(0, slash)));
  const UniqueFd directory =
      TRY(open_in_root(root, place.path.substr(0, slash), O_RDONLY | O_DIRECTORY));
  // A name of ours, never one of the image's: not opened when it is there.
  const std::string fresh = ".hook-" + std::to_string(::getpid());
  const UniqueFd fd =
      TRY(open_at(directory, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  auto written = write_all(fd, text, path);
  if (written &&
      (::fchmod(fd.get(), 0644) != 0 || ::fchown(fd.get(), owner_uid_, owner_gid_) != 0 ||
       ::renameat(directory.get(), fresh.c_str(), directory.get(), name.c_str()) != 0))
    written = errno_error("write", path);
  if (!written) (void)::unlinkat(directory.get(), fresh.c_str(), 0);
  return written;
}
