// SPDX-License-Identifier: Apache-2.0
// health.h - asks a running container, again and again, whether it is well.
//
// A command is run inside it by the runtime's exec: 0 is well, anything else is
// not, and so is no answer in time. After some failures in a row the container is
// unhealthy; failures within the start period do not count.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "children.h"
#include "loop.h"

struct HealthOptions {
  std::string command = {};  // for /bin/sh in the container; empty: no checks
  std::chrono::milliseconds interval{30'000};
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds start_period{0};
  unsigned retries = 3;
  bool kills = false;  // an unhealthy container is killed
};

// What is known of it; pure, so that it can be tested.
class HealthRecord {
 public:
  enum class Status { Starting, Healthy, Unhealthy };
  explicit HealthRecord(unsigned retries) : retries_(retries) {}
  // True when the status is another one now.
  bool take(int status, bool in_start_period);
  Status status() const { return status_; }
  unsigned failures() const { return failures_; }
  std::string_view text() const;

 private:
  unsigned retries_;
  unsigned failures_ = 0;
  Status status_ = Status::Starting;
};

class Health {
 public:
  struct Report {
    const HealthRecord& record;
    bool changed;
    int status;                 // of the command; 124 when it took too long
    const std::string& output;  // the beginning of it
  };
  // `exec`: the words up to and without the command in the container. `pid_file`:
  // where they make the runtime write the command's pid.
  Health(Loop& loop, Children& children, HealthOptions options, std::vector<std::string> exec,
         std::string pid_file, std::function<void(const Report&)> tell);
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;
  ~Health();

 private:
  void arm(std::chrono::milliseconds delay);
  void check();
  void read_output(const UniqueFd& from);
  void give_up();
  void ended(int status);

  Loop& loop_;
  Children& children_;
  HealthOptions options_;
  std::vector<std::string> exec_;
  std::string pid_file_;
  std::function<void(const Report&)> tell_;
  HealthRecord record_;
  Loop::Clock::time_point begun_;
  Loop::TimerId timer_ = 0;
  pid_t child_ = 0;
  bool late_ = false;
  UniqueFd output_fd_;
  std::string output_;
};
