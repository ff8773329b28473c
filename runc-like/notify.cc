// SPDX-License-Identifier: Apache-2.0
#include "notify.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "launch.h"

namespace {

// "@name" is one that has no file.
Result<UniqueFd> connect_host(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
    return Error{"NOTIFY_SOCKET: '" + path + "' is no address of a socket"};
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("create", "socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return errno_error("connect to NOTIFY_SOCKET", path);
  return fd;
}

bool is_ready(std::string_view message) {
  return message.starts_with("READY=") || message.find("\nREADY=") != std::string_view::npos;
}

}  // namespace

std::string service_lines(std::string_view message) {
  static constexpr auto kOurs =
      std::to_array<std::string_view>({"BARRIER=", "FDNAME=", "FDPOLL=", "FDSTORE", "MAINPID"});
  std::string out;
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(message.size(), line.size() + 1));
    const bool ours =
        std::ranges::any_of(kOurs, [&](std::string_view start) { return line.starts_with(start); });
    if (!ours && !line.empty()) out.append(line).push_back('\n');
  }
  return out;
}

Result<std::optional<NotifyRelay>> NotifyRelay::bind(FdRef state_directory) {
  const char* host = ::getenv("NOTIFY_SOCKET");
  if (host == nullptr || *host == '\0') return std::optional<NotifyRelay>();
  const auto directory = open_at(state_directory, kNotifyDirectory, O_PATH | O_DIRECTORY);
  if (!directory) return std::optional<NotifyRelay>();
  UniqueFd outside = TRY(connect_host(host));
  const std::string path = "/proc/self/fd/" + std::to_string(directory->get()) + "/notify.sock";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd inside(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!inside) return errno_error("create", "socket");
  // Whoever the container's process is: what it says is checked, not who says it.
  if (::bind(inside.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::fchmodat(directory->get(), "notify.sock", 0777, 0) != 0)
    return errno_error("listen on socket", "notify.sock");
  return std::optional<NotifyRelay>(NotifyRelay(std::move(inside), std::move(outside)));
}

// Empty when there is none.
Result<std::string> NotifyRelay::receive() {
  std::array<char, 4096> text = {};
  const ssize_t n = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
  if (n < 0 && errno != EINTR && errno != EAGAIN) return errno_error("read from", "notify.sock");
  return std::string(text.data(), n < 0 ? 0 : static_cast<std::size_t>(n));
}

Result<void> NotifyRelay::send(std::string_view text) {
  if (::send(host_.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0)
    return errno_error("write to", "NOTIFY_SOCKET");
  return {};
}

// What was sent is worked on before we end: the service manager closes the
// descriptor that goes with the last message.
Result<void> NotifyRelay::barrier() {
  std::array<int, 2> ends = {};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("create", "pipe");
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  TRY(send_descriptor(host_, theirs, "BARRIER=1"));
  theirs.reset();
  constexpr int kLongest = 30'000;
  pollfd end = {ours.get(), 0, 0};
  (void)::poll(&end, 1, kLongest);
  return {};
}

Result<void> NotifyRelay::await_ready(FdRef pidfd, pid_t pid) {
  for (;;) {
    std::array<pollfd, 2> fds = {{{socket_.get(), POLLIN, 0}, {pidfd.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return errno_error("poll", "notify.sock");
    }
    if (fds[0].revents == 0) return {};  // it has ended without a word
    if (is_ready(TRY(receive()))) break;
  }
  TRY(send("READY=1\n"));
  TRY(send("MAINPID=" + std::to_string(pid) + "\n"));
  return barrier();
}

void NotifyRelay::pass_on() {
  for (auto message = receive(); message && !message->empty(); message = receive()) {
    const std::string lines = service_lines(*message);
    if (!lines.empty()) (void)send(lines);  // a service manager that is gone ends nobody
  }
}
