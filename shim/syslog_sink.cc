// SPDX-License-Identifier: Apache-2.0
#include "syslog_sink.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/timestamp.h"

namespace {

constexpr std::size_t kNameLimit = 48;  // of APP-NAME
constexpr std::size_t kIdLimit = 128;   // of PROCID
constexpr std::size_t kFractionLimit =
    26;  // no more than microseconds: "2026-11-22T16:25:21.725223"

// Printable ASCII without blanks, and not empty.
std::string word(std::string text, std::size_t limit) {
  text.resize(std::min(text.size(), limit));
  std::ranges::replace_if(
      text, [](unsigned char c) { return c <= ' ' || c > '~'; }, '_');
  return text.empty() ? "-" : text;
}

}  // namespace

std::unique_ptr<LogSink> SyslogSink::open(const LogLabels& labels, const std::string& socket) {
  std::array<char, 256> host = {};
  (void)::gethostname(host.data(), host.size() - 1);
  const std::string& name = !labels.tag.empty()    ? labels.tag
                            : !labels.name.empty() ? labels.name
                                                   : labels.id;
  return std::unique_ptr<LogSink>(new SyslogSink(
      socket.empty() ? kSocket : socket, word(host.data(), 255) + " " + word(name, kNameLimit),
      word(labels.id, kIdLimit)));
}

// <PRIORITY>1 TIME HOST NAME ID STREAM - TEXT; facility daemon, notice or error.
void SyslogSink::encode(std::string& datagram, const Chunk& chunk, std::string_view line) {
  const bool error = chunk.stream == Stream::Err;
  datagram = error ? "<27>1 " : "<29>1 ";
  datagram += rfc3339_nano(chunk.at).substr(0, kFractionLimit) + "Z " + application_ + " ";
  datagram += process_ + (error ? " stderr - " : " stdout - ");
  if (line.ends_with('\n')) line.remove_suffix(1);
  datagram += line;
}
