// SPDX-License-Identifier: Apache-2.0
// conmon_sync.h - what a monitor says to the engine that has started it.
//
//   {"data": 1234}                        api 1: a pid, then perhaps an exit status
//   {"pid": 1234}, {"exit_code": 3}       api 0: create, exec
//   {"data": -1, "message": "…"}          it failed
// Each is one write, ends with a newline and fits into the 4095 bytes that
// engines read at once.
#pragma once

#include <string>
#include <string_view>

#include "common/fd.h"

// The descriptor that an environment variable names ("_OCI_SYNCPIPE"), now
// close-on-exec; none when it is not set.
Result<UniqueFd> inherited_descriptor(const char* variable);

// Waits until the engine has written a byte or closed its end.
void wait_for_engine(FdRef start_pipe);

std::string sync_message(std::string_view key, long value, std::string_view text);

class SyncPipe {
 public:
  SyncPipe() = default;
  SyncPipe(UniqueFd fd, std::string key) : fd_(std::move(fd)), key_(std::move(key)) {}
  // An engine that has gone away is no failure.
  void send(long value, std::string_view text = "");
  bool is_open() const { return static_cast<bool>(fd_); }
  int number() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::string key_;
};
