// SPDX-License-Identifier: Apache-2.0
// stream_sink.h - the container's output as it is, on the shim's own standard output and error.
//
// A reader that is slow (a pager, a pipe) slows the container down, as if it
// wrote there itself; one that has gone away is forgotten.
#pragma once

#include <string_view>

#include "log_sink.h"

class StreamSink final : public LogSink {
 public:
  StreamSink();
  void offer(const Chunk& chunk) override;
  Progress pump() override;
  bool takes_lines() const override { return false; }
  int wait_fd() const override;
  int last_errno() const override { return errno_; }
  std::size_t unwritten() const override { return rest_.size(); }
  std::string_view name() const override { return "standard output"; }

 private:
  struct Target {
    UniqueFd own;  // opened anew, so that our O_NONBLOCK is nobody else's
    int fd = -1;   // -1: nobody reads there any more
    bool socket = false;
  };
  static Target open_target(int fd);
  Target& target();
  ssize_t write_some();

  Target out_;
  Target err_;
  Stream stream_ = Stream::Out;
  std::string_view rest_;
  int errno_ = 0;
};
