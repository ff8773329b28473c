// SPDX-License-Identifier: Apache-2.0
// undo.h - what has to be taken back when a later step fails.
#pragma once

#include <functional>
#include <utility>
#include <vector>

// Runs when a step fails, in reverse order; what has succeeded as a whole stays.
class Undo {
 public:
  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) (*step)();
  }
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void commit() { steps_.clear(); }

 private:
  std::vector<std::function<void()>> steps_;
};
