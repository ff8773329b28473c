// SPDX-License-Identifier: Apache-2.0
#include "conmon_sync.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "common/cli.h"

namespace {

constexpr std::size_t kLongest = 4095;

std::string escaped(unsigned char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '\\':
      return "\\\\";
    case '"':
      return "\\\"";
    case '/':
      return "\\/";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    default:
      break;
  }
  if (c >= 0x20 && c != 0x7f) return {static_cast<char>(c)};
  return std::string("\\u00") + kHex[c >> 4U] + kHex[c & 15U];
}

}  // namespace

Result<UniqueFd> inherited_descriptor(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return UniqueFd();
  const auto number = parse_integer(text);
  if (!number || *number < 0 || *number > 1 << 20)
    return Error{std::string(variable) + " '" + text + "' is no descriptor"};
  UniqueFd fd(static_cast<int>(*number));
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) return errno_error("use descriptor", variable);
  return fd;
}

void wait_for_engine(FdRef start_pipe) {
  std::array<char, 8192> bytes = {};
  while (::read(start_pipe.get(), bytes.data(), bytes.size()) < 0 && errno == EINTR) {
  }
}

std::string sync_message(std::string_view key, long value, std::string_view text) {
  std::string out = "{\"" + std::string(key) + "\": " + std::to_string(value);
  constexpr std::string_view kEnd = "\"}\n";
  if (text.empty()) return out + "}\n";
  out += ", \"message\": \"";
  for (const char c : text) {
    const std::string next = escaped(static_cast<unsigned char>(c));
    if (out.size() + next.size() + kEnd.size() > kLongest) break;
    out += next;
  }
  return out.append(kEnd);
}

void SyncPipe::send(long value, std::string_view text) {
  if (!fd_) return;
  const std::string message = sync_message(key_, value, text);
  if (!write_all(fd_, message, "sync pipe")) fd_.reset();
}
