// SPDX-License-Identifier: Apache-2.0
// journald.h - lines as journal entries, over journald's own datagram socket.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "log_sink.h"

struct JournalLabels {
  std::string id;
  std::string name = {};
  std::string tag = {};
  std::vector<std::string> fields = {};  // KEY=VALUE
  bool partial_field = true;
};

class JournalSink final : public LogSink {
 public:
  static constexpr const char* kSocket = "/run/systemd/journal/socket";
  // A journal that is not there now may come back: the container waits for it.
  static Result<std::unique_ptr<LogSink>> open(const JournalLabels& labels,
                                               const std::string& socket = kSocket);

  void offer(const Chunk& chunk) override;
  Progress pump() override;
  int wait_fd() const override { return fd_.get(); }
  int last_errno() const override { return errno_; }
  std::size_t unwritten() const override { return rest_.size(); }
  std::string_view name() const override { return "journald"; }

 private:
  JournalSink(std::string path, std::string common, bool partial_field)
      : path_(std::move(path)), common_(std::move(common)), partial_field_(partial_field) {}
  bool connect();
  bool send(std::string_view line);

  std::string path_;
  std::string common_;  // the fields that every entry has
  bool partial_field_;
  UniqueFd fd_;
  Stream stream_ = Stream::Out;
  std::string_view rest_;
  std::string entry_;
  int errno_ = 0;
};
