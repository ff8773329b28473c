// SPDX-License-Identifier: Apache-2.0
#include "file_stream.h"

#include <unistd.h>

#include <cerrno>

// Reads once, behind what is there; false at the end of the file.
Result<bool> FileStream::fill() {
  if (!buffer_) {
    buffer_.reset(new char[kBuffer]);
    // Advice only: a pipe refuses it and is none the worse.
    (void)::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  for (;;) {
    const ssize_t n = ::read(fd_.get(), buffer_.get() + end_, kBuffer - end_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", name_);
    end_ += static_cast<std::size_t>(n);
    return n > 0;
  }
}

Result<std::string_view> FileStream::peek(std::size_t least) {
  while (end_ - begin_ < least && TRY(fill())) {
  }
  return std::string_view(buffer_.get() + begin_, end_ - begin_);
}

Result<std::string_view> FileStream::next(std::size_t most) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (!TRY(fill())) return std::string_view();
  }
  const std::string_view piece(buffer_.get() + begin_, std::min(most, end_ - begin_));
  begin_ += piece.size();
  return piece;
}
