// SPDX-License-Identifier: Apache-2.0
// image_source.cc - where images come from.
#include <sys/stat.h>

#include <cerrno>

#include "transfer.h"

namespace {

std::string staged(const Digest& digest) {
  return "tmp/partial-" + digest.hex();
}

}  // namespace

Result<ImageDocument> LayoutSource::root() {
  return ImageDocument{root_, TRY(layout_->read_blob(root_))};
}

Result<std::string> LayoutSource::document(const Descriptor& descriptor) {
  return layout_->read_blob(descriptor);
}

Result<UniqueFd> LayoutSource::blob(const Descriptor& descriptor, Progress& /*progress*/) {
  return layout_->open_blob(descriptor);
}

Result<ImageDocument> RegistrySource::root() {
  return registry_->manifest(registry_->reference().version());
}

Result<std::string> RegistrySource::document(const Descriptor& descriptor) {
  ImageDocument found = TRY(registry_->manifest(descriptor.digest.text()));
  if (found.bytes.size() != descriptor.size)
    return Error{"manifest " + descriptor.digest.text() + ": has " +
                 std::to_string(found.bytes.size()) + " bytes, its index says " +
                 std::to_string(descriptor.size)};
  return std::move(found.bytes);
}

// One that two processes want is fetched by one of them; the other finds it here.
Result<void> RegistrySource::fetch(const Descriptor& descriptor, Progress& progress) {
  const ObjectLock lock = TRY(ObjectLock::object(store_->root(), descriptor.digest));
  if (store_->layout().has_blob(descriptor.digest)) return {};
  const UniqueFd file =
      TRY(open_at(store_->root(), staged(descriptor.digest), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  auto fetched = registry_->fetch_blob(descriptor, file, progress);
  const std::lock_guard guard(mutex_);
  held_.insert(descriptor.digest);
  if (!fetched && may_pass(fetched.error())) keep_ = true;
  return fetched;
}

RegistrySource::~RegistrySource() {
  constexpr off_t kWorthKeeping = off_t{1} << 20;
  for (const Digest& digest : held_) {
    struct stat st = {};
    const std::string path = staged(digest);
    const bool large =
        ::fstatat(store_->root().get(), path.c_str(), &st, 0) == 0 && st.st_size >= kWorthKeeping;
    if (!keep_ || !large) (void)::unlinkat(store_->root().get(), path.c_str(), 0);
  }
}

bool RegistrySource::holds(const Digest& digest) const {
  const std::lock_guard guard(mutex_);
  return held_.contains(digest);
}

Result<UniqueFd> RegistrySource::open(const Descriptor& descriptor) const {
  if (!holds(descriptor.digest)) return store_->layout().open_blob(descriptor);
  return open_at(store_->root(), staged(descriptor.digest), O_RDWR | O_NOFOLLOW);
}

Result<void> RegistrySource::adopt_all() {
  for (const Digest& digest : held_) {
    const std::string path = staged(digest);
    auto file = open_at(store_->root(), path, O_RDWR | O_NOFOLLOW);
    // Another process may have been first, with the same bytes.
    if (!file && file.error().code == ENOENT && store_->layout().has_blob(digest)) continue;
    if (!file) return std::move(file).error();
    TRY(store_->adopt(*file, digest));
    if (::unlinkat(store_->root().get(), path.c_str(), 0) != 0 && errno != ENOENT)
      return errno_error("remove", path);
  }
  held_.clear();
  return {};
}

Result<UniqueFd> RegistrySource::blob(const Descriptor& descriptor, Progress& progress) {
  if (!store_->layout().has_blob(descriptor.digest)) TRY(fetch(descriptor, progress));
  return open(descriptor);
}
