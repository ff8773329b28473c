// SPDX-License-Identifier: Apache-2.0
#include "idle_memory.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace {

struct Range {
  std::uintptr_t begin = 0;
  std::size_t size = 0;
};

struct Constants {
  std::array<Range, 4> ranges = {};
  std::size_t count = 0;
};

// Only segments that can never have been written: relocated constants live in a
// writable segment that was made read-only later, and would not come back.
int add_constant_segments(dl_phdr_info* info, std::size_t, void* data) {
  auto& out = *static_cast<Constants*>(data);
  const auto page = static_cast<std::uintptr_t>(::getpagesize());
  for (unsigned i = 0; i < info->dlpi_phnum && out.count < out.ranges.size(); ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t at = info->dlpi_addr + segment.p_vaddr;
    const std::uintptr_t begin = at & ~(page - 1);
    const std::uintptr_t end = (at + segment.p_memsz + page - 1) & ~(page - 1);
    out.ranges[out.count++] = {begin, end - begin};
  }
  return 1;  // the first object is the executable; a static one has no other
}

// What deeper calls have left below us. The kernel keeps 1 MiB free of other
// mappings there.
Range unused_stack() noexcept {
  const auto page = static_cast<std::uintptr_t>(::getpagesize());
  constexpr std::uintptr_t kDepth = std::uintptr_t{512} << 10;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  // Two pages stay: for our callees and the red zone.
  return {(here & ~(page - 1)) - 2 * page - kDepth, kDepth};
}

}  // namespace

int wait_in_little_memory(int epoll, std::span<epoll_event> events, int timeout) noexcept {
  (void)::malloc_trim(0);
  const Range stack = unused_stack();
  Constants constants;
  (void)::dl_iterate_phdr(add_constant_segments, &constants);
  (void)::syscall(SYS_madvise, stack.begin, stack.size, MADV_DONTNEED);
  // From here to the wait only this function and syscall() run: each page of code
  // that is touched now stays for as long as we sleep.
  for (std::size_t i = 0; i < constants.count; ++i)
    (void)::syscall(SYS_madvise, constants.ranges[i].begin, constants.ranges[i].size,
                    MADV_DONTNEED);
  return static_cast<int>(::syscall(SYS_epoll_pwait, epoll, events.data(),
                                    static_cast<int>(events.size()), timeout, nullptr, 8UL));
}
