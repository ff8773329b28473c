// SPDX-License-Identifier: Apache-2.0
#include "page_buffer.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
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

namespace {

// Only segments that can never have been written: relocated constants live in a
// writable segment that was made read-only later, and would not come back.
int drop_constant_segments(dl_phdr_info* info, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::getpagesize());
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (info->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end =
        (info->dlpi_addr + segment.p_vaddr + segment.p_memsz + page - 1) & ~(page - 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast,performance-no-int-to-ptr)
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 1;  // the first object is the executable; a static one has no other
}

}  // namespace

void give_back_memory() noexcept {
  (void)::malloc_trim(0);
  (void)::dl_iterate_phdr(drop_constant_segments, nullptr);
}
