// SPDX-License-Identifier: Apache-2.0
#include "input.h"

#include <array>
#include <cerrno>

namespace {
constexpr std::size_t kPiece = 8192;
}

Result<std::unique_ptr<Input>> Input::create(Loop& loop, UniqueFd fd, bool terminal) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("unblock", "container input");
  return std::unique_ptr<Input>(new Input(loop, std::move(fd), terminal));
}

std::unique_ptr<Input> Input::none(Loop& loop) {
  return std::unique_ptr<Input>(new Input(loop, UniqueFd(), false));
}

void Input::put(std::string_view bytes) {
  if (!fd_ || closing_) return;
  pending_.append(bytes);
  write_pending();
}

void Input::write_pending() {
  while (fd_ && !pending_.empty()) {
    const ssize_t n = ::write(fd_.get(), pending_.data(), pending_.size());
    if (n >= 0) {
      pending_.erase(0, static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      const auto again = [this](std::uint32_t) {
        loop_.forget(fd_);
        write_pending();
        if (!ready()) return;
        for (const auto& listener : listeners_) listener();
      };
      if (loop_.watch(fd_, EPOLLOUT, again)) return;
    }
    pending_.clear();  // nobody reads it any more
    fd_.reset();
  }
  if (closing_) fd_.reset();
}

void Input::close() {
  if (terminal_) return;
  closing_ = true;
  if (pending_.empty()) fd_.reset();
}

Result<void> Input::follow(FdRef fd) {
  source_ = fd.get();
  on_ready([this] {
    if (source_ >= 0) (void)watch_source();
  });
  return watch_source();
}

// epoll refuses regular files: they can always be read.
Result<void> Input::watch_source() {
  auto watched = loop_.watch(FdRef(source_), EPOLLIN, [this](std::uint32_t) { read_source(); });
  if (watched || watched.error().code != EPERM) return watched;
  while (source_ >= 0 && ready()) read_source();
  return {};
}

void Input::stop_following() {
  if (source_ >= 0) loop_.forget(FdRef(source_));
  source_ = -1;
}

void Input::read_source() {
  std::array<char, kPiece> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const ssize_t n = ::read(source_, piece.data(), piece.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    stop_following();
    close();
    return;
  }
  put({piece.data(), static_cast<std::size_t>(n)});
  if (!ready()) loop_.forget(FdRef(source_));
}
