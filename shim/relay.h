// SPDX-License-Identifier: Apache-2.0
// relay.h - the container's output, read once and handed to all who want it.
//
//   read (one buffer) -> log sinks (all of it, in order) -> attach clients
//
// A sink that cannot write stops the reading, and so in the end the container:
// what was written is never lost. A client that cannot read stops nobody. An
// unfinished last line is held for a moment, since its rest mostly is on its
// way, and then logged as partial, so that a prompt is seen.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log_sink.h"
#include "loop.h"
#include "notices.h"
#include "page_buffer.h"

class Relay {
 public:
  static Result<std::unique_ptr<Relay>> create(Loop& loop, const Notices& notices);

  void add_sink(std::unique_ptr<LogSink> sink) { sinks_.push_back(std::move(sink)); }
  // Called with everything that was read, after the logs have been given it.
  void on_output(std::function<void(Stream, std::string_view)> listener) {
    listener_ = std::move(listener);
  }

  // Logs no more than this of all that comes; the rest is counted and told once.
  void limit_total(std::uint64_t bytes) { log_left_ = bytes; }

  // Begins to read. A terminal hangs up whenever nobody has it open: no end.
  Result<void> add_source(Stream stream, UniqueFd fd, bool terminal = false);

  // The container has ended: reads what the pipes still hold and closes them.
  void drain();
  bool drained() const { return sources_.empty() && !blocked_; }
  // Gives up what could not be written; returns how many bytes that were.
  std::size_t abandon();

  Result<void> reopen_logs();
  Result<void> sync_logs();

 private:
  struct Source {
    Stream stream;
    UniqueFd fd;
    bool terminal = false;
    bool grown = false;      // the pipe
    std::size_t left = 0;    // while draining: how much more is ours
    std::string carry = {};  // an unfinished line
    bool stale = false;      // nothing came after it for a while
  };

  Relay(Loop& loop, const Notices& notices, PageBuffer buffer)
      : loop_(loop), notices_(notices), buffer_(std::move(buffer)) {}
  Result<void> start_reading(Source& source);
  bool read_once(Source& source);
  void take(Source& source, std::size_t carried, std::size_t got);
  void hang_up(Source& source);
  void end(Source& source);
  void flush_carry(Source& source);
  void offer(Stream stream, std::string_view lines, std::string_view raw);
  void pump();
  void block(LogSink& sink, LogSink::Progress progress);
  void resume();
  void arm_carry_timer();
  void arm_rest_timer();

  Loop& loop_;
  const Notices& notices_;
  PageBuffer buffer_;
  std::vector<std::unique_ptr<LogSink>> sinks_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::function<void(Stream, std::string_view)> listener_;
  std::optional<std::uint64_t> log_left_;
  bool blocked_ = false;
  bool draining_ = false;
  bool told_ = false;                   // that a log cannot be written
  bool active_ = false;                 // something was read since the rest timer was armed
  bool resting_soon_ = false;           // the rest timer is armed
  bool carrying_ = false;               // the carry timer is armed
  std::chrono::milliseconds delay_{0};  // until the next try of a blocked sink
};
