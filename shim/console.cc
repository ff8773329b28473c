// SPDX-License-Identifier: Apache-2.0
#include "console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "attach_server.h"

namespace {

constexpr const char* kName = "console";

Result<UniqueFd> receive_descriptor(FdRef connection) {
  std::array<char, 4096> text = {};
  // Room for one descriptor: more would be closed by the kernel.
  union {
    cmsghdr align;
    std::array<char, CMSG_SPACE(sizeof(int))> bytes;
  } control = {};
  iovec part = {text.data(), text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t n = 0;
  do {
    n = ::recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return errno_error("receive", "console");
  const cmsghdr* const head = CMSG_FIRSTHDR(&message);
  if (head == nullptr || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
      head->cmsg_len != CMSG_LEN(sizeof(int)))
    return Error{"the runtime sent no terminal", EPROTO};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
  return UniqueFd(fd);
}

}  // namespace

Result<ConsoleSocket> ConsoleSocket::create(FdRef directory, const std::string& path) {
  UniqueFd own(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 3));
  if (!own) return errno_error("duplicate", path);
  UniqueFd socket = TRY(listen_in(own, kName, SOCK_STREAM));
  std::string full = path + "/" + kName;
  if (full.size() >= sizeof(sockaddr_un::sun_path))
    full = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(own.get()) + "/" + kName;
  return ConsoleSocket(std::move(own), std::move(socket), std::move(full));
}

ConsoleSocket::~ConsoleSocket() {
  if (directory_) (void)::unlinkat(directory_.get(), kName, 0);
}

Result<UniqueFd> ConsoleSocket::receive(const ChildProcess& runtime) {
  UniqueFd connection;
  for (;;) {
    const bool waiting = !connection;
    std::array<pollfd, 2> fds = {{{waiting ? socket_.get() : connection.get(), POLLIN, 0},
                                  {runtime.pidfd().get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return errno_error("wait for", "console");
    }
    if (fds[0].revents != 0 && !waiting) return receive_descriptor(connection);
    if (fds[0].revents != 0)
      connection.reset(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    else if (fds[1].revents != 0)
      return UniqueFd();
  }
}

bool copy_window_size(FdRef from, FdRef to) {
  winsize size = {};
  return ::ioctl(from.get(), TIOCGWINSZ, &size) == 0 && ::ioctl(to.get(), TIOCSWINSZ, &size) == 0;
}

Result<void> set_window_size(FdRef terminal, unsigned short rows, unsigned short columns) {
  winsize size = {};
  size.ws_row = rows;
  size.ws_col = columns;
  if (::ioctl(terminal.get(), TIOCSWINSZ, &size) != 0)
    return errno_error("resize", "container terminal");
  return {};
}

std::optional<RawTerminal> RawTerminal::enter(FdRef terminal) {
  termios before = {};
  if (::tcgetattr(terminal.get(), &before) != 0) return std::nullopt;
  termios raw = before;
  ::cfmakeraw(&raw);
  if (::tcsetattr(terminal.get(), TCSANOW, &raw) != 0) return std::nullopt;
  return RawTerminal(terminal.get(), before);
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}

RawTerminal::~RawTerminal() {
  if (fd_ >= 0) (void)::tcsetattr(fd_, TCSADRAIN, &before_);
}
