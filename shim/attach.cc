// SPDX-License-Identifier: Apache-2.0
// attach.cc - `shim attach`: the user's terminal joined to a running container.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "attach_server.h"
#include "console.h"
#include "run.h"
#include "state_dir.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kTable = std::to_array<Option>({
    {"state-dir", 0, Kind::Value, "DIR", "where running shims show their state (/run/shim)"},
    {"no-stdin", 0, Kind::Flag, "", "only watch"},
});

constexpr char kDetachFirst = 0x10;   // ctrl-p
constexpr char kDetachSecond = 0x11;  // ctrl-q

class Attachment {
 public:
  Attachment(UniqueFd socket, bool reads_input)
      : socket_(std::move(socket)), reading_(reads_input) {}
  // True: the container has closed the connection; false: the user has left.
  Result<bool> run();

 private:
  Result<bool> pass_output();
  Result<bool> pass_input();

  UniqueFd socket_;
  bool reading_;
  std::optional<RawTerminal> raw_;
  bool prefix_ = false;  // the last key was ctrl-p
};

Result<bool> Attachment::run() {
  if (reading_)
    if (auto raw = RawTerminal::enter(FdRef(STDIN_FILENO))) raw_.emplace(std::move(*raw));
  for (;;) {
    std::array<pollfd, 2> fds = {
        {{socket_.get(), POLLIN, 0}, {reading_ ? STDIN_FILENO : -1, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return errno_error("poll", "attach socket");
    }
    if (fds[0].revents != 0 && !TRY(pass_output())) return true;
    if (fds[1].revents != 0 && !TRY(pass_input())) return false;
  }
}

// False at the end.
Result<bool> Attachment::pass_output() {
  std::array<char, 8193> packet;  // NOLINT(cppcoreguidelines-pro-type-member-init): recv fills it
  const ssize_t n = ::recv(socket_.get(), packet.data(), packet.size(), 0);
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) return false;
  const int to = packet[0] == static_cast<char>(Stream::Err) ? STDERR_FILENO : STDOUT_FILENO;
  TRY(write_all(FdRef(to), {packet.data() + 1, static_cast<std::size_t>(n) - 1}, "output"));
  return true;
}

// False when the user has typed the keys to leave (only on a terminal).
Result<bool> Attachment::pass_input() {
  std::array<char, 8192> keys;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const ssize_t n = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) {
    reading_ = false;
    (void)::shutdown(socket_.get(), SHUT_WR);
    return true;
  }
  const std::string_view typed(keys.data(), static_cast<std::size_t>(n));
  for (const char c : typed) {
    if (raw_ && prefix_ && c == kDetachSecond) return false;
    prefix_ = c == kDetachFirst;
  }
  if (::send(socket_.get(), typed.data(), typed.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE)
    return errno_error("send to", "container");
  return true;
}

}  // namespace

const std::span<const Option> kAttachOptions = kTable;

Result<int> cmd_attach(const Arguments& arguments) {
  const std::string& id = arguments.positionals.at(0);
  const SeenState state = TRY(SeenState::open(state_root(arguments.options), id));
  UniqueFd socket = TRY(connect_in(state.fd(), "attach", SOCK_SEQPACKET));
  Attachment attachment(std::move(socket), !arguments.options.flag("no-stdin"));
  if (!TRY(attachment.run())) return 0;
  // The socket goes before the connections when the container ends.
  if (::faccessat(state.fd().get(), "attach", F_OK, 0) == 0)
    return Error{"'" + id + "' runs on, but this client was dropped: it read too slowly"};
  return state.wait_exit();
}
