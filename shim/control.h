// SPDX-License-Identifier: Apache-2.0
// control.h - the FIFO that takes orders for a running shim, conmon's `ctl`.
//
// Lines of three decimal numbers, TYPE HEIGHT WIDTH: type 1 resizes the
// terminal, 2 reopens the logs. What is no order is skipped, to its newline.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "loop.h"

struct Order {
  enum class Kind { Resize = 1, Reopen = 2 };
  Kind kind = Kind::Resize;
  unsigned short height = 0;
  unsigned short width = 0;
};

std::optional<Order> parse_order(std::string_view line);

class Control {
 public:
  // `prefix` is put before each line: conmon's `winsz` has the numbers alone.
  static Result<std::unique_ptr<Control>> create(Loop& loop, FdRef directory,
                                                 const std::string& name, std::string prefix,
                                                 std::function<void(const Order&)> obey);

 private:
  Control(std::string prefix, std::function<void(const Order&)> obey)
      : prefix_(std::move(prefix)), obey_(std::move(obey)) {}
  void read_some();

  std::string prefix_;
  std::function<void(const Order&)> obey_;
  UniqueFd fifo_;     // open for both: without a writer there would be no end of hang-ups
  std::string line_;  // not complete yet
  bool skipping_ = false;
};
