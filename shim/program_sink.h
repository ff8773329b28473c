// SPDX-License-Identifier: Apache-2.0
// program_sink.h - the container's lines on a program's standard input, "|program args".
//
// Both ends of the pipe are ours, so what a program that dies has not read is read
// by its successor; it is started again after a while that grows. A program that
// does not read makes the container wait.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "children.h"
#include "log_sink.h"
#include "loop.h"
#include "notices.h"

class ProgramSink final : public LogSink {
 public:
  // `words` as for a shell.
  static Result<std::unique_ptr<LogSink>> open(std::string words, Loop& loop, Children& children,
                                               const Notices& notices);
  // Closes the pipe and waits, not for ever, until the program has read it all.
  ~ProgramSink() override;

  void offer(const Chunk& chunk) override { rest_ = chunk.bytes; }
  Progress pump() override;
  int wait_fd() const override { return write_.get(); }
  int last_errno() const override { return errno_; }
  std::size_t unwritten() const override { return rest_.size(); }
  std::string_view name() const override { return words_; }

 private:
  ProgramSink(std::string words, Loop& loop, Children& children, const Notices& notices)
      : words_(std::move(words)), loop_(loop), children_(children), notices_(notices) {}
  Result<void> start();
  void ended(int status);
  int waiting() const;
  bool wait_for_program(Loop::Clock::time_point until);

  std::string words_;
  Loop& loop_;
  Children& children_;
  const Notices& notices_;
  UniqueFd read_;
  UniqueFd write_;
  pid_t pid_ = 0;
  Loop::TimerId again_ = 0;
  Loop::Clock::time_point started_;
  std::chrono::milliseconds delay_{0};
  std::string_view rest_;
  int errno_ = 0;
};
