// SPDX-License-Identifier: Apache-2.0
#include "terminal.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

Result<Terminal> Terminal::offer() {
  TempDir dir = TRY(TempDir::create("/tmp", "runc-like-tty-"));
  std::string path = dir.path() + "/socket";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 1) != 0)
    return errno_error("listen on socket", path);
  return Terminal(std::move(dir), std::move(path), std::move(listener));
}

Terminal::Terminal(Terminal&& other) noexcept
    : dir_(std::move(other.dir_)),
      path_(std::move(other.path_)),
      listener_(std::move(other.listener_)),
      master_(std::move(other.master_)),
      before_(std::exchange(other.before_, std::nullopt)),
      input_open_(other.input_open_) {}

Terminal::~Terminal() {
  if (before_) (void)::tcsetattr(0, TCSANOW, &*before_);
}

Result<UniqueFd> receive_descriptor(FdRef listener) {
  const UniqueFd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) return errno_error("accept on", "console socket");
  std::array<char, 4096> name = {};
  iovec data = {name.data(), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC) < 0)
    return errno_error("read from", "console socket");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int)))
    return Error{"the console socket brought no terminal", EPROTO};
  int number = -1;
  std::memcpy(&number, CMSG_DATA(header), sizeof number);
  return UniqueFd(number);
}

Result<void> Terminal::accept() {
  master_ = TRY(receive_descriptor(listener_));
  termios settings = {};
  if (::tcgetattr(0, &settings) == 0) {
    before_ = settings;
    ::cfmakeraw(&settings);
    if (::tcsetattr(0, TCSANOW, &settings) != 0) return errno_error("set", "terminal");
  }
  resize();
  return {};
}

void Terminal::resize() const {
  winsize size = {};
  if (::ioctl(0, TIOCGWINSZ, &size) == 0) (void)::ioctl(master_.get(), TIOCSWINSZ, &size);
}

void Terminal::watch(pollfd& ours, pollfd& theirs) const {
  ours = {input_open_ ? 0 : -1, POLLIN, 0};
  theirs = {master_.get(), POLLIN, 0};
}

bool Terminal::copy(int from, int to) {
  std::array<char, 4096> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const ssize_t n = ::read(from, chunk.data(), chunk.size());
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) return false;  // EIO: nobody has the other end open any more
  return static_cast<bool>(write_all(
      FdRef(to), std::string_view(chunk.data(), static_cast<std::size_t>(n)), "terminal"));
}

void Terminal::serve(const pollfd& ours, const pollfd& theirs) {
  if (ours.revents != 0 && !copy(0, master_.get())) {
    input_open_ = false;
    constexpr char kEndOfFile = 4;
    (void)write_all(master_, std::string_view(&kEndOfFile, 1), "terminal");
  }
  if ((theirs.revents & POLLIN) != 0) (void)copy(master_.get(), 1);
}

// What was written before the end is still in the terminal.
void Terminal::drain() {
  pollfd theirs = {master_.get(), POLLIN, 0};
  while (::poll(&theirs, 1, 0) > 0 && (theirs.revents & POLLIN) != 0)
    if (!copy(master_.get(), 1)) break;
}
