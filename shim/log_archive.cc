// SPDX-License-Identifier: Apache-2.0
#include "log_archive.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/cli.h"

#include "log_compression.h"

namespace {

constexpr std::string_view kSuffix = ".zst";
constexpr std::string_view kUnfinished = ".zst.new";

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

// "FILE.7" and "FILE.7.zst" for FILE; nothing for other names.
std::optional<ArchivedLog> parse_name(std::string_view name, const std::string& file,
                                      const std::string& path) {
  if (!name.starts_with(file + ".")) return std::nullopt;
  std::string_view rest = name.substr(file.size() + 1);
  const bool compressed = rest.ends_with(kSuffix);
  if (compressed) rest.remove_suffix(kSuffix.size());
  const auto number = parse_integer(rest);
  if (!number || *number < 1 || *number > 1'000'000 || rest.front() == '0') return std::nullopt;
  return ArchivedLog{static_cast<unsigned>(*number), compressed,
                     path + std::string(name.substr(file.size()))};
}

std::string name_of(const std::string& path, unsigned number, bool compressed) {
  return path + "." + std::to_string(number) + std::string(compressed ? kSuffix : "");
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("rotate", from);
  return {};
}

}  // namespace

std::vector<ArchivedLog> archived_logs(const std::string& path) {
  std::vector<ArchivedLog> logs;
  const auto [directory, file] = split(path);
  DIR* const list = ::opendir(directory.c_str());
  if (list == nullptr) return logs;
  while (const dirent* const entry = ::readdir(list))
    if (auto log = parse_name(entry->d_name, file, path)) logs.push_back(std::move(*log));
  ::closedir(list);
  std::ranges::sort(logs, [](const ArchivedLog& a, const ArchivedLog& b) {
    return std::pair(a.number, a.compressed) < std::pair(b.number, b.compressed);
  });
  const auto twice = std::ranges::unique(logs, {}, &ArchivedLog::number);
  logs.erase(twice.begin(), twice.end());
  return logs;
}

Result<void> make_room_for_newest(const std::string& path, unsigned files) {
  std::vector<ArchivedLog> logs = archived_logs(path);
  unsigned free = 1;
  for (const ArchivedLog& log : logs)
    if (log.number == free) ++free;
  for (const ArchivedLog& log : logs) {
    if (log.number <= files && (log.number != files || free <= files)) continue;
    if (::unlink(log.path.c_str()) != 0 && errno != ENOENT) return errno_error("remove", log.path);
  }
  for (unsigned number = std::min(free, files); number-- > 1;) {
    const ArchivedLog& log = logs.at(number - 1);  // without a gap up to here
    TRY(rename_file(log.path, name_of(path, number + 1, log.compressed)));
  }
  return {};
}

LogArchiver::LogArchiver(Children& children, const Notices& notices, std::string path)
    : children_(children), notices_(notices), path_(std::move(path)) {
  // What a killed shim has left half done.
  (void)::unlink((path_ + std::string(kUnfinished)).c_str());
  for (const ArchivedLog& log : archived_logs(path_))
    if (!log.compressed) (void)::unlink(name_of(path_, log.number, true).c_str());
}

LogArchiver::~LogArchiver() {
  if (child_ == 0) return;
  // The plain file stays, and the next start tries again.
  children_.forget(child_);
  (void)::unlink((path_ + std::string(kUnfinished)).c_str());
}

void LogArchiver::tend() {
  if (child_ != 0 || failed_) return;
  for (const ArchivedLog& log : archived_logs(path_)) {
    if (log.compressed || log.number < 2) continue;
    if (const auto begun = compress(log); !begun) give_up(begun.error().text());
    return;
  }
}

void LogArchiver::give_up(const std::string& why) {
  failed_ = true;
  notices_.warn("log-not-compressed", why + "; the rotated files of '" + path_ + "' stay plain");
}

Result<void> LogArchiver::compress(const ArchivedLog& log) {
  const UniqueFd in = TRY(open_at(kCwd, log.path, O_RDONLY));
  struct stat st = {};
  if (::fstat(in.get(), &st) != 0) return errno_error("stat", log.path);
  const UniqueFd out = TRY(open_at(kCwd, path_ + std::string(kUnfinished),
                                   O_WRONLY | O_CREAT | O_TRUNC, st.st_mode & 0777));
  const auto work = [inode = st.st_ino] {
    const auto done = compress_log(inode);
    return done ? 0 : std::clamp(done.error().code, 1, 127);  // an errno, for finish()
  };
  child_ = TRY(children_.fork(in, out, work,
                              [this, inode = st.st_ino](int status) { finish(inode, status); }));
  return {};
}

// The file may have got another number meanwhile, and it may be gone.
void LogArchiver::finish(ino_t inode, int status) {
  child_ = 0;
  const std::string done = path_ + std::string(kUnfinished);
  if (status > 128) give_up("compression was killed by signal " + std::to_string(status - 128));
  if (status != 0 && !failed_) give_up(Error{"compress '" + path_ + "'", status}.text());
  for (const ArchivedLog& log : archived_logs(path_)) {
    struct stat st = {};
    if (failed_ || log.compressed || ::stat(log.path.c_str(), &st) != 0 || st.st_ino != inode)
      continue;
    const std::string name = name_of(path_, log.number, true);
    if (::rename(done.c_str(), name.c_str()) != 0)
      give_up(errno_error("rename", done).text());
    else
      (void)::unlink(log.path.c_str());
    return tend();
  }
  (void)::unlink(done.c_str());
  tend();
}

struct LogInput::Decoder {
  LogDecompression stream;
};

LogInput::LogInput() = default;
LogInput::LogInput(LogInput&& other) noexcept = default;
LogInput& LogInput::operator=(LogInput&& other) noexcept = default;
LogInput::~LogInput() = default;

Result<LogInput> LogInput::open(const std::string& path, bool compressed) {
  LogInput input;
  input.path_ = path;
  input.fd_ = TRY(open_at(kCwd, path, O_RDONLY | O_NONBLOCK));
  struct stat st = {};
  if (::fstat(input.fd_.get(), &st) != 0) return errno_error("stat", path);
  input.inode_ = st.st_ino;
  input.changed_ = st.st_mtim.tv_sec;
  if (!compressed) return input;
  input.inode_ = original_inode(input.fd_);
  input.decoder_ = std::make_unique<Decoder>();
  return input;
}

Result<std::size_t> LogInput::read(char* to, std::size_t size) {
  if (decoder_) return decoder_->stream.read(fd_, path_, to, size);
  for (;;) {
    const ssize_t n = ::read(fd_.get(), to, size);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return errno_error("read", path_);
  }
}
