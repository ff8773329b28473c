// SPDX-License-Identifier: Apache-2.0
// tar_writer.h - writes the members of a layer: ustar where that can say it, pax
// records (never GNU's extensions) where it cannot. The same members give the
// same bytes: no names of users, no access times, records in a fixed order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/fd.h"
#include "common/result.h"

#include "byte_sink.h"
#include "tar_entry.h"

class TarWriter {
 public:
  explicit TarWriter(ByteSink& sink) : sink_(&sink) {}

  // A member without data, or one whose `size` bytes of data follow by data().
  // The name of a directory ends with '/'. A sparse member has its pieces in
  // `sparse`, its size in `real_size`, and their sum in `size`.
  Result<void> member(const TarEntry& entry);
  Result<void> data(std::string_view bytes);
  // The data from a file, read where the sink wants it; one that has become
  // shorter meanwhile is an error.
  Result<void> data_from(FdRef file, std::uint64_t offset, std::uint64_t size);
  // After the last member.
  Result<void> finish();

 private:
  Result<void> header(const TarEntry& entry, std::string_view name, std::uint64_t size, char type);
  Result<void> pad();

  ByteSink* sink_;
  std::uint64_t left_ = 0;     // bytes of data that the member still lacks
  std::uint64_t padding_ = 0;  // after them
};
