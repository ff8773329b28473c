// SPDX-License-Identifier: Apache-2.0
#include "page_buffer.h"

#include <sys/mman.h>

#include <utility>

Result<PageBuffer> PageBuffer::create(std::size_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return errno_error("allocate", "log buffer");
  // A huge page would cost 2 MiB for a line of log.
  (void)::madvise(at, size, MADV_NOHUGEPAGE);
  return PageBuffer(static_cast<char*>(at), size);
}

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}

PageBuffer::~PageBuffer() {
  if (data_ != nullptr) (void)::munmap(data_, size_);
}

void PageBuffer::forget() noexcept {
  (void)::madvise(data_, size_, MADV_DONTNEED);
}
