// SPDX-License-Identifier: Apache-2.0
// page_buffer.h - a fixed buffer that costs no memory while it is empty.
//
// Pages come from the kernel when they are first written and go back on
// forget(): a container that talks now and then does not keep its shim fat.
#pragma once

#include <cstddef>
#include <span>

#include "common/result.h"

class PageBuffer {
 public:
  static Result<PageBuffer> create(std::size_t size);
  PageBuffer(PageBuffer&& other) noexcept;
  PageBuffer& operator=(PageBuffer&&) = delete;
  ~PageBuffer();

  char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  void forget() noexcept;  // the content is gone, the room stays

 private:
  PageBuffer(char* data, std::size_t size) noexcept : data_(data), size_(size) {}
  char* data_;
  std::size_t size_;
};
