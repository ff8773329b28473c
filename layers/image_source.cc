// SPDX-License-Identifier: Apache-2.0
// image_source.cc - where images come from.
#include <sys/stat.h>

#include <cerrno>

#include "transfer.h"

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

Result<void> RegistrySource::fetch(const Descriptor& descriptor, Progress& progress) {
  // One that two processes want is fetched by one of them.
  const ObjectLock lock = TRY(ObjectLock::object(staging_->root(), descriptor.digest));
  if (staging_->layout().has_blob(descriptor.digest)) return {};
  const std::string path = "tmp/partial-" + descriptor.digest.hex();
  const UniqueFd file = TRY(open_at(staging_->root(), path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  auto fetched = registry_->fetch_blob(descriptor, file, progress);
  if (fetched) fetched = staging_->adopt(file, descriptor.digest);
  struct stat st = {};
  // What a broken connection left is continued by the next run, if it is worth that.
  constexpr off_t kWorthKeeping = off_t{1} << 20;
  const bool keep = !fetched && may_pass(fetched.error()) && ::fstat(file.get(), &st) == 0 &&
                    st.st_size >= kWorthKeeping;
  if (!keep && ::unlinkat(staging_->root().get(), path.c_str(), 0) != 0 && fetched)
    return errno_error("remove", path);
  return fetched;
}

Result<UniqueFd> RegistrySource::blob(const Descriptor& descriptor, Progress& progress) {
  if (!staging_->layout().has_blob(descriptor.digest)) TRY(fetch(descriptor, progress));
  return staging_->layout().open_blob(descriptor);
}
