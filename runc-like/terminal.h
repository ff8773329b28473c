// SPDX-License-Identifier: Apache-2.0
// terminal.h - the caller's terminal, lent to a container that runs in the
// foreground.
#pragma once

#include <poll.h>
#include <termios.h>

#include <memory>
#include <optional>
#include <string>

#include "common/fd.h"
#include "common/temp_dir.h"

class Terminal {
 public:
  // A console socket of our own.
  static Result<Terminal> offer();
  Terminal(Terminal&&) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();  // the caller's terminal as it was

  const std::string& socket_path() const { return path_; }
  // Takes the container's terminal from the socket, and makes ours raw.
  Result<void> accept();
  void resize() const;

  void watch(pollfd& ours, pollfd& theirs) const;
  void serve(const pollfd& ours, const pollfd& theirs);
  void drain();

 private:
  Terminal(TempDir dir, std::string path, UniqueFd listener)
      : dir_(std::move(dir)), path_(std::move(path)), listener_(std::move(listener)) {}
  bool copy(int from, int to);

  TempDir dir_;
  std::string path_;
  UniqueFd listener_;
  UniqueFd master_;
  std::optional<termios> before_;
  bool input_open_ = true;
};

// One descriptor from a connection on a listening socket, as engines take it.
Result<UniqueFd> receive_descriptor(FdRef listener);
