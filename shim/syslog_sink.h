// SPDX-License-Identifier: Apache-2.0
// syslog_sink.h - lines as syslog messages (RFC 5424) over the machine's own socket.
#pragma once

#include <memory>
#include <string>

#include "datagram_sink.h"
#include "log_labels.h"

class SyslogSink final : public DatagramSink {
 public:
  static constexpr const char* kSocket = "/dev/log";
  static std::unique_ptr<LogSink> open(const LogLabels& labels, const std::string& socket);
  std::string_view name() const override { return "syslog"; }

 private:
  SyslogSink(const std::string& socket, std::string application, std::string process)
      : DatagramSink(socket), application_(std::move(application)), process_(std::move(process)) {}
  void encode(std::string& datagram, const Chunk& chunk, std::string_view line) override;

  std::string application_;  // HOSTNAME and APP-NAME
  std::string process_;      // PROCID
};
