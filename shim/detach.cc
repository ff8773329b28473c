// SPDX-License-Identifier: Apache-2.0
#include "detach.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

namespace {

constexpr std::size_t kLongestText = 16384;

// One byte of status, then the text; nothing at all when the child has died.
int report(FdRef pipe) {
  const auto message = read_all(pipe, "shim", kLongestText);
  if (!message || message->empty()) {
    (void)write_all(FdRef(STDERR_FILENO), "shim: run: it ended before the container ran\n",
                    "stderr");
    return 125;
  }
  const std::string text = message->substr(1);
  if (!text.empty()) (void)write_all(FdRef(STDERR_FILENO), text + "\n", "stderr");
  return static_cast<unsigned char>(message->front());
}

}  // namespace

Result<Detachment::Fork> Detachment::begin() {
  std::array<int, 2> fds = {};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return errno_error("create", "pipe");
  UniqueFd read(fds[0]);
  UniqueFd write(fds[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork", "shim");
  if (pid > 0) {
    write.reset();
    return Fork{std::nullopt, report(read)};
  }
  if (::setsid() < 0) return errno_error("start", "session");
  return Fork{Detachment(std::move(write)), 0};
}

void Detachment::ready() {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) (void)::dup2(null.get(), fd);
  (void)write_all(pipe_, std::string_view("\0", 1), "caller");
  pipe_.reset();
}

void Detachment::fail(int status, std::string_view text) {
  std::string message(1, static_cast<char>(status));
  message.append(text.substr(0, kLongestText - 1));
  (void)write_all(pipe_, message, "caller");
  pipe_.reset();
}
