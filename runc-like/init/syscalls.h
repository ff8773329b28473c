// SPDX-License-Identifier: Apache-2.0
// syscalls.h - the kernel without a C library. Every call answers with its value
// or with -errno; there is no global errno.
#pragma once

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

namespace init {

#if defined(__x86_64__)
inline long raw(long n, long a, long b, long c, long d, long e, long f) noexcept {
  long out;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(out)
               : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return out;
}
#elif defined(__aarch64__)
inline long raw(long n, long a, long b, long c, long d, long e, long f) noexcept {
  register long x8 asm("x8") = n;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}
#else
#error "no system call convention for this architecture"
#endif

template <class T>
inline long word(T value) noexcept {
  return static_cast<long>(value);
}
template <class T>
inline long word(T* pointer) noexcept {
  return reinterpret_cast<long>(pointer);
}
inline long word(decltype(nullptr)) noexcept {
  return 0;
}

inline long call_words(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                       long f = 0) noexcept {
  return raw(n, a, b, c, d, e, f);
}

// call(__NR_openat2, dir, path, &how, sizeof how)
template <class... Args>
inline long call(long number, Args... args) noexcept {
  return call_words(number, word(args)...);
}

inline void close_fd(long fd) noexcept {
  (void)call(__NR_close, fd);
}

inline size_t length(const char* text) noexcept {
  size_t n = 0;
  while (text[n] != '\0') ++n;
  return n;
}

inline bool same(const char* a, const char* b) noexcept {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

// A descriptor for the length of a block.
class Fd {
 public:
  explicit Fd(long fd) noexcept : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close_fd(fd_);
  }
  long get() const noexcept { return fd_; }
  bool ok() const noexcept { return fd_ >= 0; }
  void reset(long fd) noexcept {
    if (fd_ >= 0) close_fd(fd_);
    fd_ = fd;
  }

 private:
  long fd_;
};

}  // namespace init
