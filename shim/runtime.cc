// SPDX-License-Identifier: Apache-2.0
#include "runtime.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/json.h"

namespace {

// How every error that quotes a runtime begins; status_of_failure() knows them by it.
constexpr std::string_view kSays = "runtime '";

}  // namespace

Command Runtime::command(const std::vector<std::string>& verb) const {
  Command command;
  command.argv.push_back(options_.program);
  command.argv.insert(command.argv.end(), options_.global.begin(), options_.global.end());
  if (!log_.empty())
    for (const char* word : {"--log", log_.c_str(), "--log-format", "json"})
      command.argv.emplace_back(word);
  command.argv.insert(command.argv.end(), verb.begin(), verb.end());
  return command;
}

Result<ChildProcess> Runtime::begin(const std::vector<std::string>& verb,
                                    const RuntimeStdio& io) const {
  Command words = command(verb);
  words.in = io.in;
  words.out = io.out;
  words.err = io.err;
  auto child = start(words);
  if (!child) return std::move(child).error().with_hint("name the OCI runtime with --runtime");
  return child;
}

Result<void> Runtime::finish(ChildProcess& child, std::string_view verb,
                             const UniqueFd& err) const {
  const int status = TRY(child.wait());
  if (status == 0) return {};
  std::string text;
  if (err) {
    // What is in the pipe now; the container's end of it may still be open.
    std::array<char, 8192> piece = {};
    (void)::fcntl(err.get(), F_SETFL, O_NONBLOCK);
    const ssize_t n = ::read(err.get(), piece.data(), piece.size());
    if (n > 0) text.assign(piece.data(), static_cast<std::size_t>(n));
  }
  return failure(verb, status, text);
}

Result<void> Runtime::run(const std::vector<std::string>& verb) const {
  const Output output = TRY(::run(command(verb)));
  if (output.status == 0) return {};
  return failure(verb.front(), output.status, output.err);
}

Error Runtime::failure(std::string_view verb, int status, std::string_view err) const {
  std::string message;
  const auto log = log_.empty() ? Result<std::string>("") : read_file(log_);
  if (log) message = runtime_message(*log);
  if (message.empty()) message = runtime_message(err);
  if (message.empty()) message = "it ended with status " + std::to_string(status);
  const std::string name = options_.program.substr(options_.program.rfind('/') + 1);
  return Error{std::string(kSays) + name + "': " + std::string(verb) + ": " + message};
}

namespace {

std::string_view last_line(std::string_view& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const auto newline = text.rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::string_view line = text.substr(begin);
  text = text.substr(0, begin);
  return line;
}

std::string one_line(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
    text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

// The message of a JSON line at level error or fatal.
std::optional<std::string> json_message(std::string_view line) {
  if (!line.starts_with('{')) return std::nullopt;
  const auto document = JsonDocument::parse("runtime log", line);
  if (!document) return std::nullopt;
  const auto message = document->root().find("msg");
  const auto level = document->root().find("level");
  if (!message || !message->is_string()) return std::nullopt;
  if (level && level->is_string()) {
    const auto name = level->string();
    if (!name || (*name != "error" && *name != "fatal")) return std::nullopt;
  }
  auto text = message->string();
  return text ? std::optional(one_line(std::move(*text))) : std::nullopt;
}

// time="…" level=error msg="text with \" quotes"
std::optional<std::string> logrus_message(std::string_view line) {
  constexpr std::string_view kMark = " msg=\"";
  const auto at = line.find(kMark);
  if (!line.starts_with("time=") || at == std::string_view::npos) return std::nullopt;
  std::string out;
  for (std::size_t i = at + kMark.size(); i < line.size() && line[i] != '"'; ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    out.push_back(line[i]);
  }
  return one_line(std::move(out));
}

}  // namespace

std::string runtime_message(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = last_line(text);
    if (line.starts_with('{')) {
      if (auto message = json_message(line)) return *message;
      continue;
    }
    if (auto message = logrus_message(line)) return *message;
    return one_line(std::string(line));
  }
  return "";
}

int status_of_failure(const Error& error) {
  std::string text = error.what;
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text.find(kSays) == std::string::npos) return 1;
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  const bool about_exec = says("exec: ") || says("exec ") || says("execute ") || says("execve") ||
                          says("executable file");
  if (!about_exec) return 1;
  if (says("executable file") && says("not found")) return 127;
  if (says("no such file or directory")) return 127;
  if (says("permission denied") || says("exec format error") || says("is a directory")) return 126;
  return 1;
}
