// SPDX-License-Identifier: Apache-2.0
#include "layer_dirs.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <thread>

#include "layer_applier.h"
#include "layer_stream.h"
#include "overlay_mount.h"
#include "tar_reader.h"
#include "xattrs.h"

namespace {

std::string diff_name(const Digest& diff_id) {
  return "layers/diff/" + diff_id.hex();
}
std::string chain_name(const Digest& chain_id) {
  return "layers/chain/" + chain_id.hex();
}

bool exists(const Store& store, const std::string& name) {
  return ::faccessat(store.root().get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

// The finished directory becomes visible; when another process was faster, its copy serves.
Result<void> publish(const Store& store, const TempDir& scratch, const std::string& from,
                     const std::string& name) {
  if (::renameat2(scratch.fd().get(), from.c_str(), store.root().get(), name.c_str(),
                  RENAME_NOREPLACE) != 0 &&
      errno != EEXIST)
    return errno_error("rename to", name);
  return {};
}

Result<UniqueFd> make_directory(const TempDir& scratch, const char* name) {
  if (::mkdirat(scratch.fd().get(), name, 0755) != 0)
    return errno_error("create directory", scratch.path() + "/" + name);
  return open_at(scratch.fd(), name, O_RDONLY | O_DIRECTORY);
}

// After the last change to the layer: attributes of the root are part of it.
Result<void> mark_root(FdRef root, const LayerApplier& applier) {
  if (!applier.had_root_entry() && ::fsetxattr(root.get(), kRootUnsaid, "y", 1, 0) != 0)
    return errno_error("mark", "root of the layer",
                       "the store needs a file system with trusted attributes");
  return {};
}

class Unpacker {
 public:
  Unpacker(const Store& store, const Image& image, const UnpackLimits& limits)
      : store_(&store),
        image_(&image),
        limits_(&limits),
        chains_(chain_ids(image.config.diff_ids)),
        places_(chains_.size()) {}

  Result<std::vector<std::string>> run() {
    find_existing();
    TRY(unpack_alone());
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (places_[i].empty()) TRY(unpack_above(i));
    std::vector<std::string> out;
    for (const std::string& place : places_) out.push_back(store_->path() + "/" + place);
    return out;
  }

 private:
  const Digest& diff_id(std::size_t i) const { return image_->config.diff_ids[i]; }

  void find_existing() {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (exists(*store_, chain_name(chains_[i])))
        places_[i] = chain_name(chains_[i]);
      else if (exists(*store_, diff_name(diff_id(i))))
        places_[i] = diff_name(diff_id(i));
    }
  }

  // Every missing layer by itself, as many at a time as there are processors.
  Result<void> unpack_alone() {
    std::atomic<std::size_t> next = 0;
    const auto work = [this, &next] {
      for (std::size_t i = next++; i < places_.size() && !failed(); i = next++) {
        if (!places_[i].empty()) continue;
        auto done = unpack_one(i);
        if (!done) fail(std::move(done).error().in(layer_label(*image_, i)));
      }
    };
    const auto missing = static_cast<std::size_t>(std::ranges::count(places_, std::string()));
    const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::thread> helpers;
    for (std::size_t t = 1; t < std::min(missing, processors); ++t) helpers.emplace_back(work);
    work();
    for (std::thread& helper : helpers) helper.join();
    if (error_) return *std::move(error_);
    return {};
  }

  // Leaves places_[i] empty when the layer needs those below.
  Result<void> unpack_one(std::size_t i) {
    // Who comes second waits here and finds the work done.
    const ObjectLock lock = TRY(ObjectLock::object(store_->root(), diff_id(i)));
    if (exists(*store_, diff_name(diff_id(i)))) {
      places_[i] = diff_name(diff_id(i));
      return {};
    }
    const TempDir scratch = TRY(store_->scratch());
    const UniqueFd root = TRY(make_directory(scratch, "root"));
    const auto stream = TRY(open_layer(store_->layout(), *image_, i, *limits_));
    TarReader tar(*stream);
    LayerApplier applier(root, {.form = LayerForm::Overlay, .most_entries = limits_->most_entries});
    if (TRY(applier.apply(tar)) == Applied::NeedsLower) return {};
    TRY(stream->finish());
    TRY(mark_root(root, applier));
    TRY(publish(*store_, scratch, "root", diff_name(diff_id(i))));
    places_[i] = diff_name(diff_id(i));
    return {};
  }

  Result<void> unpack_above(std::size_t i) {
    const TempDir scratch = TRY(store_->scratch());
    const UniqueFd upper = TRY(make_directory(scratch, "root"));
    const UniqueFd work = TRY(make_directory(scratch, "work"));
    UniqueFd mount;
    if (i > 0) {
      OverlayPlan plan;
      for (std::size_t below = i; below-- > 0;)
        plan.lowers.push_back(store_->path() + "/" + places_[below]);
      plan.upper = scratch.path() + "/root";
      plan.work = scratch.path() + "/work";
      mount = TRY(mount_overlay(plan));
    }
    const auto stream = TRY(open_layer(store_->layout(), *image_, i, *limits_));
    TarReader tar(*stream);
    LayerApplier applier(i > 0 ? FdRef(mount) : FdRef(upper),
                         {.lowest = i == 0, .most_entries = limits_->most_entries});
    auto applied = applier.apply(tar);
    if (!applied) return std::move(applied).error().in(layer_label(*image_, i));
    TRY(stream->finish());
    mount.reset();
    TRY(mark_root(upper, applier));
    TRY(publish(*store_, scratch, "root", chain_name(chains_[i])));
    places_[i] = chain_name(chains_[i]);
    return {};
  }

  bool failed() {
    const std::lock_guard lock(mutex_);
    return error_.has_value();
  }
  void fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  const Store* store_;
  const Image* image_;
  const UnpackLimits* limits_;
  std::vector<Digest> chains_;
  std::vector<std::string> places_;  // relative to the store; empty: not there yet
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace

std::vector<Digest> chain_ids(const std::vector<Digest>& diff_ids) {
  std::vector<Digest> out;
  for (const Digest& diff_id : diff_ids)
    out.push_back(out.empty() ? diff_id : digest_of(out.back().text() + " " + diff_id.text()));
  return out;
}

std::vector<std::string> layer_names(const Image& image) {
  std::vector<std::string> out;
  for (const Digest& diff_id : image.config.diff_ids) out.push_back(diff_name(diff_id));
  for (const Digest& chain_id : chain_ids(image.config.diff_ids))
    out.push_back(chain_name(chain_id));
  return out;
}

Result<std::vector<std::string>> unpacked_layers(const Store& store, const Image& image,
                                                 const UnpackLimits& limits) {
  return Unpacker(store, image, limits).run();
}
