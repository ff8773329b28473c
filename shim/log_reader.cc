// SPDX-License-Identifier: Apache-2.0
#include "log_reader.h"

#include <sys/stat.h>

#include <algorithm>
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

// One escape sequence after its backslash; docker's writer needs no surrogate pairs.
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
  if (!stream) return std::nullopt;
  // Between them may be attrs, whose strings cannot hold an unescaped quote.
  const auto at = line.find(",\"time\":\"");
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at);
  if (!skip(line, ",\"time\":\"")) return std::nullopt;
  const auto time = take_string(line);
  if (!time) return std::nullopt;
  record.text = std::move(*text);
  record.stream = *stream == "stderr" ? Stream::Err : Stream::Out;
  record.time = *time;
  return record;
}

}  // namespace

std::optional<LogRecord> parse_record(LogDriver::Kind kind, std::string_view line) {
  return kind == LogDriver::Kind::Json ? parse_json(line) : parse_k8s(line);
}

// The newest first. Each file once, though they may be renamed while we look.
Result<std::vector<LogInput>> LogReader::open_all() const {
  constexpr int kTries = 100;
  for (int i = 0;; ++i) {
    std::vector<LogInput> files;
    bool changed = false;
    auto newest = LogInput::open(log_.path, false);
    if (!newest && newest.error().code != ENOENT) return std::move(newest).error();
    if (newest) files.push_back(std::move(*newest));  // else it is about to be created again
    const std::vector<ArchivedLog> archived = archived_logs(log_.path);
    for (const ArchivedLog& log : archived) {
      auto file = LogInput::open(log.path, log.compressed);
      if (!file && file.error().code != ENOENT) return std::move(file).error();
      if (file)
        files.push_back(std::move(*file));
      else
        changed = true;
    }
    // A list that is read while a file gets another name may lack both names.
    if (!std::ranges::equal(archived, archived_logs(log_.path), {}, &ArchivedLog::path,
                            &ArchivedLog::path))
      changed = true;
    struct stat st = {};
    const bool there = ::stat(log_.path.c_str(), &st) == 0;
    if (newest && (!there || st.st_ino != files.front().inode())) changed = true;
    if (!changed || i == kTries) return files;
  }
}

// The file after the current one: the oldest at the beginning, else that which is
// next newer than ours. If ours has gone, all of these are newer.
Result<bool> LogReader::open_next() {
  std::vector<LogInput> files = TRY(open_all());
  std::size_t next = files.size();
  for (std::size_t i = files.size(); current_ && i-- > 0;)
    if (files[i].inode() == current_.inode()) next = i;
  while (!current_ && next > 1 && files[next - 1].changed() < begin_) --next;
  if (next == 0) return false;
  current_ = std::move(files[next - 1]);
  return true;
}

Result<void> LogReader::read_current() {
  std::array<char, 65536> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  for (;;) {
    const std::size_t n = TRY(current_.read(piece.data(), piece.size()));
    if (n == 0) return {};
    rest_.append(piece.data(), n);
    std::string_view text = rest_;
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      if (const auto record = parse_record(log_.kind, text.substr(0, end))) TRY(consumer_(*record));
      text.remove_prefix(end + 1);
    }
    rest_.erase(0, rest_.size() - text.size());
  }
}

Result<void> LogReader::read_on() {
  if (current_) TRY(read_current());
  while (TRY(open_next())) TRY(read_current());
  return {};
}
