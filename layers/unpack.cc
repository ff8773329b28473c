// SPDX-License-Identifier: Apache-2.0
#include "unpack.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <memory>

#include "common/temp_dir.h"

#include "directory_names.h"
#include "file_stream.h"
#include "layer_stream.h"

namespace {

// The target, empty: made here, or there already. Its content goes away again
// unless keep().
class Target {
 public:
  static Result<Target> prepare(const std::string& path) {
    bool made = ::mkdir(path.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) return errno_error("create directory", path);
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return errno_error("open directory", path);
    const auto names = TRY(directory_names(fd, path));
    if (!names.empty())
      return Error{"'" + path + "' is not empty", ENOTEMPTY, "unpack into a new directory"};
    return Target(path, std::move(fd), made);
  }
  Target(Target&& o) noexcept
      : path_(std::exchange(o.path_, {})), fd_(std::move(o.fd_)), made_(o.made_) {}
  Target& operator=(Target&&) = delete;
  ~Target() {
    if (path_.empty()) return;
    if (auto names = directory_names(fd_, path_))
      for (const std::string& name : *names) (void)remove_tree(fd_, name);
    if (made_) (void)::rmdir(path_.c_str());
  }
  FdRef fd() const { return fd_; }
  void keep() { path_.clear(); }

 private:
  Target(std::string path, UniqueFd fd, bool made)
      : path_(std::move(path)), fd_(std::move(fd)), made_(made) {}
  std::string path_;
  UniqueFd fd_;
  bool made_;
};

// The root's attributes when no layer has an entry for it: the same everywhere.
Result<void> set_root_defaults(FdRef root, const std::string& path) {
  constexpr std::array<timespec, 2> kEpoch = {};
  if (::fchmod(root.get(), 0755) != 0 || ::futimens(root.get(), kEpoch.data()) != 0)
    return errno_error("change mode of", path);
  return {};
}

Result<void> apply_layer(LayerStream& stream, FdRef root, bool lowest, const UnpackLimits& limits) {
  TarReader tar(stream);
  LayerApplier applier(
      root, {.form = LayerForm::Flat, .lowest = lowest, .most_entries = limits.most_entries});
  TRY(applier.apply(tar));
  TRY(stream.finish());
  return {};
}

}  // namespace

std::string layer_label(const Image& image, std::size_t i) {
  return "layer " + std::to_string(i + 1) + " of " + std::to_string(image.manifest.layers.size()) +
         " (" + image.manifest.layers[i].digest.short_hex() + ")";
}

Result<std::unique_ptr<LayerStream>> open_layer(const Layout& layout, const Image& image,
                                                std::size_t i, const UnpackLimits& limits) {
  const Descriptor& layer = image.manifest.layers[i];
  auto file = layout.open_blob(layer);
  if (!file) return std::move(file).error().in(layer_label(image, i));
  auto source = std::make_unique<FileStream>(std::move(*file), layer.digest.text());
  return std::make_unique<LayerStream>(std::move(source),
                                       LayerExpectation{.blob = layer.digest,
                                                        .blob_size = layer.size,
                                                        .diff_id = image.config.diff_ids[i],
                                                        .diff_size_limit = limits.most_bytes});
}

Result<void> unpack_image(const Layout& layout, const Image& image, const std::string& target,
                          const UnpackLimits& limits) {
  Target place = TRY(Target::prepare(target));
  TRY(set_root_defaults(place.fd(), target));
  const std::size_t count = image.manifest.layers.size();
  std::unique_ptr<LayerStream> next;
  if (count > 0) next = TRY(open_layer(layout, image, 0, limits));
  for (std::size_t i = 0; i < count; ++i) {
    const std::unique_ptr<LayerStream> current = std::move(next);
    // The layer above decompresses already while this one is being written.
    if (i + 1 < count) next = TRY(open_layer(layout, image, i + 1, limits));
    auto applied = apply_layer(*current, place.fd(), i == 0, limits);
    if (!applied) return std::move(applied).error().in(layer_label(image, i));
  }
  place.keep();
  return {};
}
