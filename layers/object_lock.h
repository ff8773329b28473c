// SPDX-License-Identifier: Apache-2.0
// object_lock.h - locks of the store: one file, one byte per object.
//
//   byte 0       the store: shared by whoever uses blobs and layers, exclusive
//                for whoever removes unreferenced ones
//   byte 1       index.json, exclusive while it is rewritten
//   byte 2 + n   one object, by the first bits of its digest
//
// Open-file-description locks: they go with the descriptor, so with the process.
// Taken in this order, never the other way round.
#pragma once

#include <optional>
#include <utility>

#include "common/fd.h"

#include "digest.h"

class ObjectLock {
 public:
  enum class Mode { Shared, Exclusive };
  static Result<ObjectLock> store(FdRef root, Mode mode);
  static Result<std::optional<ObjectLock>> try_store(FdRef root, Mode mode);
  static Result<ObjectLock> index(FdRef root);
  static Result<ObjectLock> object(FdRef root, const Digest& digest);

 private:
  explicit ObjectLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};
