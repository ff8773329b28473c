// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "options.h"

namespace {
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr const char* kClearLine = "\r\033[K";
}  // namespace

Progress::Progress(std::string verb, bool quiet)
    : verb_(std::move(verb)),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      begun_(std::chrono::steady_clock::now()),
      last_(begun_) {}

Progress::~Progress() {
  if (drawn_) std::fputs(kClearLine, stderr);
}

void Progress::expect(const Descriptor& blob) {
  const std::lock_guard lock(mutex_);
  expected_ += blob.size;
  ++blobs_;
}

void Progress::advance(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_ += bytes;
  draw(false);
}

void Progress::retreat(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_ -= std::min(bytes, done_);
}

void Progress::finished(const Descriptor& blob) {
  const std::lock_guard lock(mutex_);
  ++blobs_done_;
  say(blob, "done");
}

void Progress::skipped(const Descriptor& blob) {
  const std::lock_guard lock(mutex_);
  ++blobs_done_;
  expected_ -= std::min(blob.size, expected_);
  say(blob, "there already");
}

void Progress::say(const Descriptor& blob, const char* what) {
  if (quiet_) return;
  if (terminal_) return draw(true);
  std::fprintf(stderr, "layers: %s: %s %9s %s\n", verb_.c_str(), blob.digest.short_hex().c_str(),
               human_size(blob.size).c_str(), what);
}

void Progress::draw(bool now) {
  if (quiet_ || !terminal_) return;
  const auto at = std::chrono::steady_clock::now();
  if (!now && at - last_ < kRedraw) return;
  last_ = at;
  drawn_ = true;
  const double seconds = std::max(std::chrono::duration<double>(at - begun_).count(), 0.001);
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(done_) / seconds);
  constexpr std::size_t kWidth = 24;
  const std::size_t full =
      expected_ == 0 ? kWidth : std::min<std::size_t>(kWidth, done_ * kWidth / expected_);
  const std::string bar = std::string(full, '#') + std::string(kWidth - full, '.');
  std::fprintf(stderr, "%s%s [%s] %s of %s, %s/s, %" PRIu64 " of %" PRIu64 " blobs", kClearLine,
               verb_.c_str(), bar.c_str(), human_size(done_).c_str(), human_size(expected_).c_str(),
               human_size(rate).c_str(), blobs_done_, blobs_);
}
