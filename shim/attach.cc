// SPDX-License-Identifier: Apache-2.0
// attach.cc - `shim attach`: the user's terminal joined to a running container.
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
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
    {"detach-keys", 0, Kind::Value, "KEYS", "leave when these are typed (ctrl-p,ctrl-q)"},
});

class Attachment {
 public:
  Attachment(UniqueFd socket, const SeenState& state, bool reads_input, std::string keys)
      : socket_(std::move(socket)), state_(state), reading_(reads_input), keys_(std::move(keys)) {}
  // True: the container has closed the connection; false: the user has left.
  Result<bool> run();

 private:
  Result<bool> pass_output();
  Result<bool> pass_input();
  Result<void> follow_window();
  void pass_window_size() const;
  bool leaves(char key);

  UniqueFd socket_;
  const SeenState& state_;
  bool reading_;
  std::string keys_;
  std::optional<RawTerminal> raw_;
  UniqueFd window_;        // readable when our terminal has another size
  std::size_t typed_ = 0;  // how many of the keys
};

// The container's terminal has the size of ours, from the beginning.
Result<void> Attachment::follow_window() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGWINCH);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return errno_error("block", "SIGWINCH");
  window_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
  if (!window_) return errno_error("create", "signalfd");
  pass_window_size();
  return {};
}

void Attachment::pass_window_size() const {
  winsize size = {};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return;
  (void)send_order(state_,
                   "1 " + std::to_string(size.ws_row) + " " + std::to_string(size.ws_col) + "\n");
}

Result<bool> Attachment::run() {
  if (reading_)
    if (auto raw = RawTerminal::enter(FdRef(STDIN_FILENO))) raw_.emplace(std::move(*raw));
  if (raw_) TRY(follow_window());
  for (;;) {
    std::array<pollfd, 3> fds = {{{socket_.get(), POLLIN, 0},
                                  {reading_ ? STDIN_FILENO : -1, POLLIN, 0},
                                  {window_.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return errno_error("poll", "attach socket");
    }
    if (fds[0].revents != 0 && !TRY(pass_output())) return true;
    if (fds[1].revents != 0 && !TRY(pass_input())) return false;
    if (fds[2].revents == 0) continue;
    signalfd_siginfo ignored = {};
    (void)!::read(window_.get(), &ignored, sizeof ignored);
    pass_window_size();
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

// What is typed goes to the container all the same, but for the last key.
bool Attachment::leaves(char key) {
  if (!raw_ || keys_.empty()) return false;
  if (key != keys_[typed_]) typed_ = 0;
  if (key == keys_[typed_]) ++typed_;
  return typed_ == keys_.size();
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
  for (const char c : typed)
    if (leaves(c)) return false;
  if (::send(socket_.get(), typed.data(), typed.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE)
    return errno_error("send to", "container");
  return true;
}

}  // namespace

// "ctrl-p,ctrl-q", "a,ctrl-@": as docker has them. Empty: no keys.
std::optional<std::string> parse_detach_keys(std::string_view text) {
  constexpr std::string_view kControl = "ctrl-";
  std::string keys;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const bool control = word.starts_with(kControl);
    if (control) word.remove_prefix(kControl.size());
    if (word.size() != 1) return std::nullopt;
    const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
    if (control && (upper < '@' || upper > '_')) return std::nullopt;
    keys.push_back(control ? static_cast<char>(upper - '@') : word[0]);
  }
  return keys;
}

const std::span<const Option> kAttachOptions = kTable;

Result<int> cmd_attach(const Arguments& arguments) {
  const std::string& id = arguments.positionals.at(0);
  const SeenState state = TRY(SeenState::open(state_root(arguments.options), id));
  UniqueFd socket = TRY(connect_in(state.fd(), "attach", SOCK_SEQPACKET));
  const auto keys = parse_detach_keys(arguments.options.value_or("detach-keys", "ctrl-p,ctrl-q"));
  if (!keys)
    return Error{"--detach-keys: write single letters, or ctrl- and a letter, with commas"};
  Attachment attachment(std::move(socket), state, !arguments.options.flag("no-stdin"), *keys);
  if (!TRY(attachment.run())) return 0;
  // The socket goes before the connections when the container ends.
  if (::faccessat(state.fd().get(), "attach", F_OK, 0) == 0)
    return Error{"'" + id + "' runs on, but this client was dropped: it read too slowly"};
  return state.wait_exit();
}
