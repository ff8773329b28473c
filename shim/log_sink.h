// SPDX-License-Identifier: Apache-2.0
// log_sink.h - a place that the container's output goes to, and the lines that go there.
//
// The relay reads once into one buffer and offers the same bytes to every sink;
// it reads on when all of them are done. A sink that cannot write keeps its
// place in the bytes and says how to wait: nothing is dropped, the container
// waits instead.
#pragma once

#include <cstddef>
#include <ctime>
#include <string_view>

#include "common/fd.h"

// The values are those of the attach protocol.
enum class Stream : unsigned char { Out = 2, Err = 3 };

struct Chunk {
  Stream stream = Stream::Out;
  std::string_view bytes;  // valid until every sink is done with it
  timespec at = {};        // when it was read
};

// Longer lines are split; the limit of the Kubernetes log format and of docker.
inline constexpr std::size_t kLineLimit = 16384;

class LogSink {
 public:
  enum class Progress {
    Done,      // everything offered is with the kernel
    Retry,     // try again later: the disk is full
    Writable,  // try again when wait_fd() can be written
  };

  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;

  virtual void offer(const Chunk& chunk) = 0;  // only when the last pump() was Done
  virtual Progress pump() = 0;
  virtual bool takes_lines() const { return true; }  // else: bytes as they come
  virtual int wait_fd() const { return -1; }
  virtual int last_errno() const { return 0; }  // why pump() was not Done
  virtual std::size_t unwritten() const = 0;    // bytes not yet with the kernel
  virtual Result<void> reopen() { return {}; }  // the file was renamed by somebody
  virtual Result<void> sync() { return {}; }    // the log is on disk
  virtual void rest() {}                        // nothing to do for a while
  virtual std::string_view name() const = 0;    // for messages
};
