// SPDX-License-Identifier: Apache-2.0
#include "datagram_sink.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

bool DatagramSink::connect() {
  if (fd_) return true;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), std::min(path_.size(), sizeof address.sun_path - 1));
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (!fd || ::connect(fd.get(), generic, sizeof address) != 0) {
    errno_ = errno;
    return false;
  }
  fd_ = std::move(fd);
  return true;
}

bool DatagramSink::send(std::string_view line) {
  datagram_.clear();
  encode(datagram_, chunk_, line);
  if (::send(fd_.get(), datagram_.data(), datagram_.size(), MSG_NOSIGNAL) >= 0) return true;
  errno_ = errno;
  return false;
}

LogSink::Progress DatagramSink::pump() {
  std::string_view& rest = chunk_.bytes;
  while (!rest.empty()) {
    if (!connect()) return Progress::Retry;
    const std::size_t most = std::min(rest.size(), kLineLimit);
    const auto newline = rest.substr(0, most).find('\n');
    const std::size_t size = newline == std::string_view::npos ? most : newline + 1;
    if (!send(rest.substr(0, size))) {
      if (errno_ == EINTR) continue;
      if (errno_ == EAGAIN) return Progress::Writable;
      fd_.reset();  // the service was restarted
      return Progress::Retry;
    }
    rest.remove_prefix(size);
  }
  errno_ = 0;
  return Progress::Done;
}
