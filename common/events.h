// SPDX-License-Identifier: Apache-2.0
// events.h - the monitoring interface: one JSON object per line, appended with one write.
//
//   {"time":"…Z","id":"web","source":"shim","event":"exit","pid":12,"data":{"status":0}}
//
// The target is a file, a FIFO or a unix stream or datagram socket. Lines stay
// within PIPE_BUF, so those of many writers never mix; a monitor that is gone,
// full or slow never stops a container: the event is dropped.
#pragma once

#include <string>
#include <string_view>

#include "common/fd.h"

// One such line, however long, with its line end.
std::string event_line(std::string_view source, std::string_view id, std::string_view event,
                       int pid = 0, std::string_view data = "");

class EventLog {
 public:
  // Writes nowhere.
  EventLog() = default;
  // `path` as given by --events, else $RUNC_LIKE_EVENTS, else nowhere.
  static EventLog open(std::string source, const std::string& path = "");

  // False when there is no target, or when it cannot be opened.
  bool is_open() const { return static_cast<bool>(fd_); }

  // `data` is a JSON object, or empty for none; pid 0 is left out. False when
  // the line was dropped.
  bool emit(std::string_view id, std::string_view event, int pid = 0,
            std::string_view data = "") const;

  // A whole line in one write, which only a regular file takes when it is longer
  // than PIPE_BUF. False when it was dropped: on a full disk nothing of it is left.
  bool append(std::string_view line) const;

 private:
  std::string source_;
  UniqueFd fd_;
  bool socket_ = false;
  bool regular_ = false;
};
