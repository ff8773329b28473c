// SPDX-License-Identifier: Apache-2.0
// datagram_sink.h - every line a datagram for a service on this machine: journald, syslog.
//
// The service may be restarted, or not be there yet: the container's output waits for it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "log_sink.h"

class DatagramSink : public LogSink {
 public:
  void offer(const Chunk& chunk) override { chunk_ = chunk; }
  Progress pump() override;
  int wait_fd() const override { return fd_.get(); }
  int last_errno() const override { return errno_; }
  std::size_t unwritten() const override { return chunk_.bytes.size(); }

 protected:
  explicit DatagramSink(std::string socket) : path_(std::move(socket)) {}
  // The datagram for one line, which has its newline unless it is a part.
  virtual void encode(std::string& datagram, const Chunk& chunk, std::string_view line) = 0;

 private:
  bool connect();
  bool send(std::string_view line);

  std::string path_;
  UniqueFd fd_;
  Chunk chunk_;  // what is left of it
  std::string datagram_;
  int errno_ = 0;
};
