// SPDX-License-Identifier: Apache-2.0
#include "object_lock.h"

#include <cerrno>
#include <charconv>
#include <cstdint>

namespace {

constexpr const char* kFile = "lock";
constexpr off_t kStoreByte = 0;
constexpr off_t kIndexByte = 1;
constexpr off_t kFirstObject = 2;

struct Request {
  off_t byte;
  ObjectLock::Mode mode;
  bool wait;
};

// The locked descriptor, or an invalid one when somebody else holds the byte.
Result<UniqueFd> lock(FdRef root, const Request& request) {
  UniqueFd fd = TRY(open_at(root, kFile, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  struct flock how = {};
  how.l_type = request.mode == ObjectLock::Mode::Shared ? F_RDLCK : F_WRLCK;
  how.l_whence = SEEK_SET;
  how.l_start = request.byte;
  how.l_len = 1;
  int result = 0;
  do {
    result = ::fcntl(fd.get(), request.wait ? F_OFD_SETLKW : F_OFD_SETLK, &how);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return fd;
  if (errno == EAGAIN || errno == EACCES) return UniqueFd();
  return errno_error("lock", kFile);
}

off_t byte_of(const Digest& digest) {
  std::uint64_t bits = 0;
  std::from_chars(digest.hex().data(), digest.hex().data() + 15, bits, 16);
  return kFirstObject + static_cast<off_t>(bits);
}

}  // namespace

Result<ObjectLock> ObjectLock::store(FdRef root, Mode mode) {
  return ObjectLock(TRY(lock(root, {kStoreByte, mode, true})));
}

Result<std::optional<ObjectLock>> ObjectLock::try_store(FdRef root, Mode mode) {
  UniqueFd fd = TRY(lock(root, {kStoreByte, mode, false}));
  if (!fd) return std::optional<ObjectLock>();
  return std::optional<ObjectLock>(ObjectLock(std::move(fd)));
}

Result<ObjectLock> ObjectLock::index(FdRef root) {
  return ObjectLock(TRY(lock(root, {kIndexByte, Mode::Exclusive, true})));
}

Result<ObjectLock> ObjectLock::object(FdRef root, const Digest& digest) {
  return ObjectLock(TRY(lock(root, {byte_of(digest), Mode::Exclusive, true})));
}
