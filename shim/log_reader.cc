// SPDX-License-Identifier: Apache-2.0
#include "log_reader.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace {

// TIME STREAM TAG TEXT
std::optional<LogRecord> parse_k8s(std::string_view line) {
  LogRecord record;
  std::array<std::string_view, 3> fields = {};
  for (std::string_view& field : fields) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    field = line.substr(0, blank);
    line.remove_prefix(blank + 1);
  }
  if (fields[1] != "stdout" && fields[1] != "stderr") return std::nullopt;
  record.time = fields[0];
  record.stream = fields[1] == "stderr" ? Stream::Err : Stream::Out;
  record.text = line;
  if (!fields[2].starts_with('P')) record.text += '\n';
  return record;
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0U | (code >> 6U));
    return put(0x80U | (code & 0x3fU));
  }
  put(0xe0U | (code >> 12U));
  put(0x80U | ((code >> 6U) & 0x3fU));
  put(0x80U | (code & 0x3fU));
}

// One escape sequence after its backslash; docker's writer uses \uXXXX below U+FFFF only.
bool take_escape(std::string& out, std::string_view& json) {
  constexpr std::string_view kNames = "nrtbf\"\\/";
  constexpr std::string_view kMeanings = "\n\r\t\b\f\"\\/";
  if (json.empty()) return false;
  const char c = json.front();
  json.remove_prefix(1);
  if (const auto at = kNames.find(c); at != std::string_view::npos) {
    out.push_back(kMeanings[at]);
    return true;
  }
  unsigned code = 0;
  if (c != 'u' || json.size() < 4) return false;
  const auto [end, failed] = std::from_chars(json.data(), json.data() + 4, code, 16);
  if (failed != std::errc() || end != json.data() + 4) return false;
  append_utf8(out, code);
  json.remove_prefix(4);
  return true;
}

// The string after its opening quote. Not JsonDocument's: that refuses NUL, and
// is made for documents, not for a million lines.
std::optional<std::string> take_string(std::string_view& json) {
  std::string out;
  for (;;) {
    const auto end = json.find_first_of("\"\\");
    if (end == std::string_view::npos) return std::nullopt;
    out.append(json.substr(0, end));
    const bool escape = json[end] == '\\';
    json.remove_prefix(end + 1);
    if (!escape) return out;
    if (!take_escape(out, json)) return std::nullopt;
  }
}

bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<LogRecord> parse_json(std::string_view line) {
  LogRecord record;
  if (!skip(line, "{\"log\":\"")) return std::nullopt;
  auto text = take_string(line);
  if (!text || !skip(line, ",\"stream\":\"")) return std::nullopt;
  const auto stream = take_string(line);
  if (!stream || !skip(line, ",\"time\":\"")) return std::nullopt;
  const auto time = take_string(line);
  if (!time) return std::nullopt;
  record.text = std::move(*text);
  record.stream = *stream == "stderr" ? Stream::Err : Stream::Out;
  record.time = *time;
  return record;
}

ino_t inode_of(FdRef fd) {
  struct stat st = {};
  return ::fstat(fd.get(), &st) == 0 ? st.st_ino : 0;
}

}  // namespace

std::optional<LogRecord> parse_record(LogDriver::Kind kind, std::string_view line) {
  return kind == LogDriver::Kind::Json ? parse_json(line) : parse_k8s(line);
}

// The file after the current one: the oldest at the beginning, else that with the
// next lower number than ours has by now.
Result<bool> LogReader::open_next() {
  std::vector<UniqueFd> files;  // FILE, FILE.1, …
  for (unsigned n = 0;; ++n) {
    const std::string path = n == 0 ? log_.path : log_.path + "." + std::to_string(n);
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file && n == 0 && errno != ENOENT) return errno_error("open", path);
    if (!file && n > 0) break;
    files.push_back(std::move(file));
  }
  std::size_t next = files.size();  // if ours has gone, all of these are newer
  for (std::size_t i = 0; begun_ && i < files.size(); ++i)
    if (files[i] && inode_of(files[i]) == inode_) next = i;
  while (next-- > 0) {
    if (!files[next]) continue;  // FILE is about to be created again
    current_ = std::move(files[next]);
    inode_ = inode_of(current_);
    begun_ = true;
    return true;
  }
  return false;
}

Result<void> LogReader::read_current() {
  std::array<char, 65536> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  for (;;) {
    const ssize_t n = ::read(current_.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", log_.path);
    if (n == 0) return {};
    rest_.append(piece.data(), static_cast<std::size_t>(n));
    std::string_view text = rest_;
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      if (const auto record = parse_record(log_.kind, text.substr(0, end))) TRY(consumer_(*record));
      text.remove_prefix(end + 1);
    }
    rest_.erase(0, rest_.size() - text.size());
  }
}

Result<void> LogReader::read_on() {
  if (begun_) TRY(read_current());
  while (TRY(open_next())) TRY(read_current());
  return {};
}
