// SPDX-License-Identifier: Apache-2.0
// line_sink.h - lines in a format, in a file: the hot path of the log.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "log_file.h"
#include "log_sink.h"
#include "notices.h"

template <class Format>
class LineSink final : public LogSink {
 public:
  LineSink(LogFile file, const Notices& notices, Format format = {})
      : file_(std::move(file)), format_(std::move(format)), notices_(notices) {}

  void offer(const Chunk& chunk) override {
    rest_ = chunk.bytes;
    at_ = chunk.at.tv_sec;
    format_.begin(chunk);
  }

  Progress pump() override {
    while (!rest_.empty()) {
      const std::string_view line = first_line(rest_);
      const std::size_t most = format_.worst_case(line.size());
      if (!make_room(most)) return Progress::Retry;
      file_.commit(format_.write(file_.room(most), line));
      rest_.remove_prefix(line.size());
    }
    return file_.flush() ? Progress::Done : Progress::Retry;
  }

  int last_errno() const override { return file_.last_errno(); }
  std::size_t unwritten() const override { return rest_.size() + file_.unwritten(); }
  Result<void> reopen() override { return file_.reopen(); }
  Result<void> sync() override { return file_.sync(); }
  void rest() override { file_.rest(); }
  std::string_view name() const override { return file_.path(); }

 private:
  // With its newline if that comes within the limit.
  static std::string_view first_line(std::string_view text) noexcept {
    const std::size_t most = std::min(text.size(), kLineLimit);
    const void* newline = std::memchr(text.data(), '\n', most);
    if (newline == nullptr) return text.substr(0, most < kLineLimit ? most : whole(text, most));
    const auto length = static_cast<const char*>(newline) - text.data();
    return text.substr(0, static_cast<std::size_t>(length) + 1);
  }

  // A cut that does not part the bytes of one UTF-8 character.
  static std::size_t whole(std::string_view text, std::size_t cut) noexcept {
    std::size_t back = 0;
    while (back < 3 && cut - back < text.size() &&
           (static_cast<unsigned char>(text[cut - back]) & 0xc0U) == 0x80)
      ++back;
    return cut - back;
  }

  bool make_room(std::size_t size) {
    if (file_.is_full_for(size, at_)) {
      if (!file_.flush()) return false;
      rotate();
    }
    return file_.room(size) != nullptr || file_.flush();
  }

  // A log that cannot be rotated grows: too long is better than lost.
  void rotate() {
    const auto rotated = file_.rotate();
    if (rotated)
      complained_ = false;
    else if (!std::exchange(complained_, true))
      notices_.warn("log-not-rotated", rotated.error().text());
  }

  LogFile file_;
  Format format_;
  const Notices& notices_;
  std::string_view rest_;  // of the chunk
  time_t at_ = 0;          // when that was read
  bool complained_ = false;
};
