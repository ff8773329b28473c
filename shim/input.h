// SPDX-License-Identifier: Apache-2.0
// input.h - the container's standard input, fed by our own and by attached clients.
//
// What the container does not read yet is kept, at most one piece of it; until
// that is gone the sources wait.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loop.h"

class Input {
 public:
  // `fd`: the write end of the container's pipe, or a duplicate of its terminal.
  static Result<std::unique_ptr<Input>> create(Loop& loop, UniqueFd fd, bool terminal);
  // For containers without standard input: everything offered is dropped.
  static std::unique_ptr<Input> none(Loop& loop);

  bool ready() const { return pending_.empty(); }  // a source may read and put() now
  void put(std::string_view bytes);
  // Called each time ready() turns true again.
  void on_ready(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }
  void close();  // the end of the file, after what is pending; a terminal stays open

  // Reads `fd` (not owned) to its end and passes all of it on.
  Result<void> follow(FdRef fd);
  void stop_following();

 private:
  Input(Loop& loop, UniqueFd fd, bool terminal)
      : loop_(loop), fd_(std::move(fd)), terminal_(terminal) {}
  void write_pending();
  Result<void> watch_source();
  void read_source();

  Loop& loop_;
  UniqueFd fd_;
  bool terminal_;
  bool closing_ = false;
  std::string pending_;
  std::vector<std::function<void()>> listeners_;
  int source_ = -1;
};
