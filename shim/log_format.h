// SPDX-License-Identifier: Apache-2.0
// log_format.h - how one line looks in a log file.
//
// A format is given a chunk's stream and time once, then the lines of the
// chunk. A record never needs more than worst_case() bytes.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "log_labels.h"
#include "log_sink.h"
#include "log_time.h"

// Kubernetes' format, which podman and CRI-O read as well:
//   2026-11-22T16:25:21.725223214+00:00 stdout F text
// F ends a line, P says that its rest follows in the next record.
class K8sFormat {
 public:
  static constexpr std::string_view kName = "k8s-file";
  static constexpr std::size_t worst_case(std::size_t bytes) noexcept {
    return kHeaderSize + bytes + 1;
  }
  void begin(const Chunk& chunk) noexcept;
  // `line` with its newline if it has one; returns the bytes written to `to`.
  std::size_t write(char* to, std::string_view line) noexcept;

 private:
  static constexpr std::size_t kHeaderSize = 45;  // time, blank, stream, blank, tag, blank
  std::array<char, kHeaderSize> header_ = {};
  LogTime time_{LogTime::Zone::Local};
};

// docker's json-file, byte for byte:
//   {"log":"text\n","stream":"stdout","attrs":{"tag":"web"},"time":"2026-11-22T16:25:21.725223214Z"}
// attrs, sorted by name, are there when the container has labels. The text of a
// partial line has no \n at its end. Bytes that are no UTF-8 become U+FFFD, since
// JSON has no other place for them.
class JsonFormat {
 public:
  static constexpr std::string_view kName = "json";
  JsonFormat() = default;
  explicit JsonFormat(const LogLabels& labels);
  std::size_t worst_case(std::size_t bytes) const noexcept {
    return 6 * bytes + attrs_.size() + 2 * kTailLimit;
  }
  void begin(const Chunk& chunk) noexcept;
  std::size_t write(char* to, std::string_view line) noexcept;

 private:
  static constexpr std::size_t kTailLimit = 80;
  std::string attrs_;  // as it stands in a record
  std::array<char, kTailLimit> stream_ = {};
  std::size_t stream_size_ = 0;
  std::array<char, kTailLimit> tail_ = {};
  std::size_t tail_size_ = 0;
  LogTime time_{LogTime::Zone::Utc};
};
