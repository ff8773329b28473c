// SPDX-License-Identifier: Apache-2.0
// notify.h - readiness for a service manager: a socket of ours inside the container,
// what comes through it passed on to the one that NOTIFY_SOCKET names on the host.
//
// `create` makes the directory and mounts it; the socket is there from `start` on.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/fd.h"

inline constexpr const char* kNotifyDirectory = "notify";  // in the state directory

class NotifyRelay {
 public:
  // Nothing when the caller has no NOTIFY_SOCKET, or the container no such directory.
  static Result<std::optional<NotifyRelay>> bind(FdRef state_directory);

  // Until the container has said READY, or has ended. The service manager is then
  // told so, and that `pid` is the process to watch.
  Result<void> await_ready(FdRef pidfd, pid_t pid);

  // For a caller that stays: passes on what has come, but nothing that would make
  // another process the one to watch.
  void pass_on();
  FdRef socket() const { return socket_; }

 private:
  NotifyRelay(UniqueFd socket, UniqueFd host)
      : socket_(std::move(socket)), host_(std::move(host)) {}
  Result<std::string> receive();
  Result<void> send(std::string_view text);
  Result<void> barrier();

  UniqueFd socket_;
  UniqueFd host_;
};

// The lines of a message that say something of the service, not of processes and
// descriptors, which mean something else outside.
std::string service_lines(std::string_view message);
