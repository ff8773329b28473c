// SPDX-License-Identifier: Apache-2.0
// progress.h - how far a transfer is, on standard error: a line that is redrawn on
// a terminal, else one short line for each blob. Standard output stays data.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "image.h"

class Progress {
 public:
  // `verb` stands at the beginning of each line; quiet: nothing is written.
  Progress(std::string verb, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // All of these from any thread.
  void expect(const Descriptor& blob);
  void advance(std::uint64_t bytes);
  void retreat(std::uint64_t bytes);  // they have to come again
  void finished(const Descriptor& blob);
  void skipped(const Descriptor& blob);  // it was there already

  std::uint64_t moved() const { return done_; }

 private:
  void draw(bool now);
  void say(const Descriptor& blob, const char* what);

  std::string verb_;
  bool quiet_;
  bool terminal_;
  std::mutex mutex_;
  std::uint64_t expected_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t blobs_ = 0;
  std::uint64_t blobs_done_ = 0;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point last_;
};
