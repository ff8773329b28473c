// SPDX-License-Identifier: Apache-2.0
#include "common/events.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "common/json.h"
#include "common/timestamp.h"

namespace {

UniqueFd connect_socket(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return UniqueFd();
  std::memcpy(address.sun_path, path.data(), path.size());
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (fd && ::connect(fd.get(), generic, sizeof address) == 0) return fd;
  }
  return UniqueFd();
}

}  // namespace

EventLog EventLog::open(std::string source, const std::string& path) {
  EventLog log;
  log.source_ = std::move(source);
  const char* variable = std::getenv("RUNC_LIKE_EVENTS");
  const std::string target = !path.empty() ? path : variable ? variable : "";
  if (target.empty()) return log;
  struct stat st = {};
  log.socket_ = ::stat(target.c_str(), &st) == 0 && S_ISSOCK(st.st_mode);
  // O_NONBLOCK: a full FIFO must not stop us. O_RDWR: nor must one that nobody
  // reads, whose write would raise SIGPIPE; here the FIFO always has a reader, us.
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  log.fd_ = log.socket_ ? connect_socket(target) : UniqueFd(::open(target.c_str(), kFlags, 0640));
  log.regular_ = log.fd_ && ::fstat(log.fd_.get(), &st) == 0 && S_ISREG(st.st_mode);
  return log;
}

std::string event_line(std::string_view source, std::string_view id, std::string_view event,
                       int pid, std::string_view data) {
  JsonWriter w;
  w.begin_object().member("time", rfc3339_nano(now())).member("id", id);
  w.member("source", source).member("event", event);
  if (pid != 0) w.member("pid", pid);
  std::string line = w.take();
  if (!data.empty()) line.append(",\"data\":").append(data);
  return line += "}\n";
}

bool EventLog::emit(std::string_view id, std::string_view event, int pid,
                    std::string_view data) const {
  if (!fd_) return true;
  std::string line = event_line(source_, id, event, pid, data);
  if (line.size() <= PIPE_BUF) return append(line);
  // Too long to be one atomic write: the data is what can be spared.
  line = event_line(source_, id, event, pid);
  line.replace(line.size() - 2, 2, ",\"truncated\":true}\n");
  return append(line);
}

bool EventLog::append(std::string_view line) const {
  if (!fd_) return true;
  if (!regular_ && line.size() > PIPE_BUF) return false;
  // The room is taken first: half a line would spoil the next one too.
  if (regular_ &&
      ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, ::lseek(fd_.get(), 0, SEEK_END),
                  static_cast<off_t>(line.size())) != 0 &&
      (errno == ENOSPC || errno == EDQUOT))
    return false;
  const ssize_t n = socket_ ? ::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL)
                            : ::write(fd_.get(), line.data(), line.size());
  return n == static_cast<ssize_t>(line.size());
}
