// SPDX-License-Identifier: Apache-2.0
#include "journald.h"

#include <cstdint>

namespace {

// KEY=VALUE needs a value without newline; this form takes any bytes.
void add_field(std::string& entry, std::string_view key, std::string_view value) {
  entry.append(key).append("\n");
  std::uint64_t size = value.size();
  for (int i = 0; i < 8; ++i, size >>= 8U) entry.push_back(static_cast<char>(size & 0xffU));
  entry.append(value).append("\n");
}

}  // namespace

Result<std::unique_ptr<LogSink>> JournalSink::open(const LogLabels& labels,
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

void JournalSink::encode(std::string& datagram, const Chunk& chunk, std::string_view line) {
  datagram = common_;
  datagram += chunk.stream == Stream::Err ? "PRIORITY=3\n" : "PRIORITY=6\n";
  const bool whole = line.ends_with('\n');
  if (!whole && partial_field_) datagram += "CONTAINER_PARTIAL_MESSAGE=true\n";
  add_field(datagram, "MESSAGE", whole ? line.substr(0, line.size() - 1) : line);
}
