// SPDX-License-Identifier: Apache-2.0
#include "journald.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace {

// KEY=VALUE needs a value without newline; this form takes any bytes.
void add_field(std::string& entry, std::string_view key, std::string_view value) {
  entry.append(key).append("\n");
  std::uint64_t size = value.size();
  for (int i = 0; i < 8; ++i, size >>= 8U) entry.push_back(static_cast<char>(size & 0xffU));
  entry.append(value).append("\n");
}

}  // namespace

Result<std::unique_ptr<LogSink>> JournalSink::open(const JournalLabels& labels,
                                                   const std::string& socket) {
  constexpr std::size_t kShort = 12;
  if (labels.id.size() <= kShort)
    return Error{"journald: container id '" + labels.id + "' must be longer than 12 characters"};
  const std::string id = labels.id.substr(0, kShort);
  std::string common;
  add_field(common, "CONTAINER_ID_FULL", labels.id);
  add_field(common, "CONTAINER_ID", id);
  if (!labels.name.empty()) add_field(common, "CONTAINER_NAME", labels.name);
  if (!labels.tag.empty()) add_field(common, "CONTAINER_TAG", labels.tag);
  add_field(common, "SYSLOG_IDENTIFIER",
            !labels.tag.empty()    ? labels.tag
            : !labels.name.empty() ? labels.name
                                   : id);
  for (const std::string& label : labels.fields) {
    const auto equals = label.find('=');
    add_field(common, label.substr(0, equals), label.substr(equals + 1));
  }
  return std::unique_ptr<LogSink>(new JournalSink(socket, std::move(common), labels.partial_field));
}

bool JournalSink::connect() {
  if (fd_) return true;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), std::min(path_.size(), sizeof address.sun_path - 1));
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (!fd || ::connect(fd.get(), generic, sizeof address) != 0) {
    errno_ = errno;
    return false;
  }
  fd_ = std::move(fd);
  return true;
}

void JournalSink::offer(const Chunk& chunk) {
  stream_ = chunk.stream;
  rest_ = chunk.bytes;
}

bool JournalSink::send(std::string_view line) {
  entry_ = common_;
  entry_ += stream_ == Stream::Err ? "PRIORITY=3\n" : "PRIORITY=6\n";
  const bool whole = line.ends_with('\n');
  if (!whole && partial_field_) entry_ += "CONTAINER_PARTIAL_MESSAGE=true\n";
  add_field(entry_, "MESSAGE", whole ? line.substr(0, line.size() - 1) : line);
  if (::send(fd_.get(), entry_.data(), entry_.size(), MSG_NOSIGNAL) >= 0) return true;
  errno_ = errno;
  return false;
}

LogSink::Progress JournalSink::pump() {
  while (!rest_.empty()) {
    if (!connect()) return Progress::Retry;
    const std::size_t most = std::min(rest_.size(), kLineLimit);
    const auto newline = rest_.substr(0, most).find('\n');
    const std::size_t size = newline == std::string_view::npos ? most : newline + 1;
    if (!send(rest_.substr(0, size))) {
      if (errno_ == EINTR) continue;
      if (errno_ == EAGAIN) return Progress::Writable;
      fd_.reset();  // journald was restarted
      return Progress::Retry;
    }
    rest_.remove_prefix(size);
  }
  errno_ = 0;
  return Progress::Done;
}
