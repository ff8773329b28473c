// SPDX-License-Identifier: Apache-2.0
#include "log_format.h"

#include <cstring>
#include <map>

#include "common/json.h"

namespace {

std::string_view stream_name(Stream stream) noexcept {
  return stream == Stream::Err ? "stderr" : "stdout";
}

char* append(char* to, std::string_view text) noexcept {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

void K8sFormat::begin(const Chunk& chunk) noexcept {
  char* to = append(header_.data(), time_.text(chunk.at));
  to = append(to, " ");
  to = append(to, stream_name(chunk.stream));
  append(to, " F ");
}

std::size_t K8sFormat::write(char* to, std::string_view line) noexcept {
  std::memcpy(to, header_.data(), kHeaderSize);
  std::memcpy(to + kHeaderSize, line.data(), line.size());
  std::size_t size = kHeaderSize + line.size();
  if (line.empty() || line.back() != '\n') {
    to[kHeaderSize - 2] = 'P';
    to[size++] = '\n';
  }
  return size;
}

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// 1: goes into a JSON string as it is. 0: needs a second look.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain = {};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = true;
  for (const char c : std::string_view("\"\\<>&")) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}();

unsigned byte_at(std::string_view s, std::size_t i) noexcept {
  return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U;
}

// The length of the UTF-8 sequence at the front, 0 when there is none (RFC 3629).
std::size_t sequence_length(std::string_view s) noexcept {
  const unsigned lead = byte_at(s, 0);
  const unsigned second = byte_at(s, 1);
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte_at(s, i) & 0xc0U) != 0x80) return 0;
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return length;
}

char* put_ascii_escaped(char* to, unsigned c) noexcept {
  switch (c) {
    case '"':
      return append(to, "\\\"");
    case '\\':
      return append(to, "\\\\");
    case '\n':
      return append(to, "\\n");
    case '\r':
      return append(to, "\\r");
    default:
      break;
  }
  to = append(to, "\\u00");
  *to++ = kHex[c >> 4U];
  *to++ = kHex[c & 15U];
  return to;
}

// Takes the character at the front, which is not plain; returns where it ends.
char* put_escaped(char* to, std::string_view& text) noexcept {
  const unsigned c = byte_at(text, 0);
  if (c < 0x80) {
    text.remove_prefix(1);
    return put_ascii_escaped(to, c);
  }
  const std::size_t n = sequence_length(text);
  const std::string_view sequence = text.substr(0, n);
  text.remove_prefix(n == 0 ? 1 : n);
  if (n == 0) return append(to, "\\ufffd");
  // Line separators that JavaScript does not take inside a string.
  if (sequence == "\xe2\x80\xa8") return append(to, "\\u2028");
  if (sequence == "\xe2\x80\xa9") return append(to, "\\u2029");
  return append(to, sequence);
}

}  // namespace

JsonFormat::JsonFormat(const LogLabels& labels) {
  std::map<std::string, std::string> attrs;
  for (const std::string& field : labels.fields) {
    const auto equals = field.find('=');
    attrs[field.substr(0, equals)] = field.substr(equals + 1);
  }
  if (!labels.tag.empty()) attrs["tag"] = labels.tag;
  if (attrs.empty()) return;
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : attrs) json.member(name, value);
  json.end_object();
  attrs_ = ",\"attrs\":" + json.take();
}

void JsonFormat::begin(const Chunk& chunk) noexcept {
  char* to = append(stream_.data(), "\",\"stream\":\"");
  to = append(append(to, stream_name(chunk.stream)), "\"");
  stream_size_ = static_cast<std::size_t>(to - stream_.data());
  to = append(tail_.data(), ",\"time\":\"");
  // docker leaves trailing zeros of the fraction out, and the point with them.
  std::string_view time = time_.text(chunk.at);
  time.remove_suffix(1);
  time = time.substr(0, time.find_last_not_of('0') + 1);
  if (time.back() == '.') time.remove_suffix(1);
  to = append(append(to, time), "Z\"}\n");
  tail_size_ = static_cast<std::size_t>(to - tail_.data());
}

std::size_t JsonFormat::write(char* const to, std::string_view line) noexcept {
  char* at = append(to, "{\"log\":\"");
  while (!line.empty()) {
    std::size_t plain = 0;
    while (plain < line.size() && kPlain[static_cast<unsigned char>(line[plain])]) ++plain;
    at = append(at, line.substr(0, plain));
    line.remove_prefix(plain);
    if (!line.empty()) at = put_escaped(at, line);
  }
  at = append(append(at, {stream_.data(), stream_size_}), attrs_);
  at = append(at, {tail_.data(), tail_size_});
  return static_cast<std::size_t>(at - to);
}
