// SPDX-License-Identifier: Apache-2.0
// console.h - terminals: the one that the runtime makes for the container, and the user's own.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "common/child_process.h"
#include "common/fd.h"

// The socket that the runtime sends the terminal's master side to
// (--console-socket). It lies in a private directory and is gone once used.
class ConsoleSocket {
 public:
  // `directory` is private to us, `path` its name.
  static Result<ConsoleSocket> create(FdRef directory, const std::string& path);
  ConsoleSocket(ConsoleSocket&&) = default;
  ConsoleSocket& operator=(ConsoleSocket&&) = delete;
  ~ConsoleSocket();

  // For the runtime's command line. Never longer than a socket address may be.
  const std::string& path() const { return path_; }
  // Waits until the runtime has sent the master or has ended (then it is absent).
  Result<UniqueFd> receive(const ChildProcess& runtime);

 private:
  ConsoleSocket(UniqueFd directory, UniqueFd socket, std::string path)
      : directory_(std::move(directory)), socket_(std::move(socket)), path_(std::move(path)) {}
  UniqueFd directory_;
  UniqueFd socket_;
  std::string path_;
};

// Width and height; false when `fd` is no terminal.
bool copy_window_size(FdRef from, FdRef to);
Result<void> set_window_size(FdRef terminal, unsigned short rows, unsigned short columns);

// The user's terminal passes every key on as it is; as before when it goes away.
class RawTerminal {
 public:
  static std::optional<RawTerminal> enter(FdRef terminal);  // nothing when it is no terminal
  RawTerminal(RawTerminal&& other) noexcept;
  RawTerminal& operator=(RawTerminal&&) = delete;
  ~RawTerminal();

 private:
  RawTerminal(int fd, const termios& before) : fd_(fd), before_(before) {}
  int fd_;
  termios before_;
};
