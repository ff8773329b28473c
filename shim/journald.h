// SPDX-License-Identifier: Apache-2.0
// journald.h - lines as journal entries, over journald's own datagram socket.
#pragma once

#include <memory>
#include <string>

#include "datagram_sink.h"
#include "log_labels.h"

class JournalSink final : public DatagramSink {
 public:
  static constexpr const char* kSocket = "/run/systemd/journal/socket";
  static Result<std::unique_ptr<LogSink>> open(const LogLabels& labels,
                                               const std::string& socket = kSocket);
  std::string_view name() const override { return "journald"; }

 private:
  JournalSink(const std::string& path, std::string common, bool partial_field)
      : DatagramSink(path), common_(std::move(common)), partial_field_(partial_field) {}
  void encode(std::string& datagram, const Chunk& chunk, std::string_view line) override;

  std::string common_;  // the fields that every entry has
  bool partial_field_;
};
