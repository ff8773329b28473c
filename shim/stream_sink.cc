// SPDX-License-Identifier: Apache-2.0
#include "stream_sink.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

StreamSink::StreamSink() : out_(open_target(STDOUT_FILENO)), err_(open_target(STDERR_FILENO)) {}

// O_NONBLOCK belongs to the open file, which our caller's shell shares: pipes
// and terminals are opened once more, sockets have a flag per call.
StreamSink::Target StreamSink::open_target(int fd) {
  Target target;
  struct stat st = {};
  if (::fstat(fd, &st) != 0) return target;
  target.fd = fd;
  target.socket = S_ISSOCK(st.st_mode);
  if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)) return target;
  const std::string again = "/proc/self/fd/" + std::to_string(fd);
  target.own.reset(::open(again.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (target.own) target.fd = target.own.get();
  return target;
}

StreamSink::Target& StreamSink::target() {
  return stream_ == Stream::Err ? err_ : out_;
}

void StreamSink::offer(const Chunk& chunk) {
  stream_ = chunk.stream;
  rest_ = chunk.bytes;
}

ssize_t StreamSink::write_some() {
  const Target& to = target();
  if (to.socket) return ::send(to.fd, rest_.data(), rest_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (to.own) return ::write(to.fd, rest_.data(), rest_.size());
  // A file, or a pipe that could not be opened again: PIPE_BUF bytes never wait after POLLOUT.
  pollfd ready = {to.fd, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(to.fd, rest_.data(), std::min<std::size_t>(rest_.size(), PIPE_BUF));
}

LogSink::Progress StreamSink::pump() {
  while (!rest_.empty() && target().fd >= 0) {
    const ssize_t n = write_some();
    if (n >= 0) {
      rest_.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    errno_ = errno;
    if (errno_ == EINTR) continue;
    if (errno_ == EAGAIN) return Progress::Writable;
    if (errno_ == ENOSPC || errno_ == EDQUOT) return Progress::Retry;
    target().fd = -1;
  }
  rest_ = {};
  errno_ = 0;
  return Progress::Done;
}

int StreamSink::wait_fd() const {
  return stream_ == Stream::Err ? err_.fd : out_.fd;
}
