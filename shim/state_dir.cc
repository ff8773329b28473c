// SPDX-License-Identifier: Apache-2.0
#include "state_dir.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "common/beneath.h"
#include "common/cli.h"
#include "common/temp_dir.h"

namespace {

constexpr const char* kUnknownExit = "unknown";

Result<void> lock(FdRef fd, const std::string& what) {
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) return errno_error("lock", what);
  return {};
}

// True when the directory's shim is alive.
bool is_held(FdRef directory) {
  const UniqueFd status(::openat(directory.get(), "status", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return status && ::flock(status.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Result<void> make_own_directory(FdRef root, const std::string& id) {
  if (::mkdirat(root.get(), id.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return errno_error("create state directory", id);
  const UniqueFd existing(::openat(root.get(), id.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (existing && is_held(existing))
    return Error{"container '" + id + "' already exists and is supervised", 0,
                 "choose another id, or wait for its end"};
  TRY(remove_tree(root, id));
  if (::mkdirat(root.get(), id.c_str(), 0700) != 0)
    return errno_error("create state directory", id);
  return {};
}

}  // namespace

Result<StateDir> StateDir::create(const std::string& root, const std::string& id) {
  if (!is_plain_name(id))
    return Error{"'" + id + "' is no container id", EINVAL, "use one name without '/'"};
  TRY(make_directories(root, 0711));
  // Locked while a state directory comes into being, so that one without a held
  // `status` is always a leftover.
  const UniqueFd parent = TRY(open_at(kCwd, root, O_RDONLY | O_DIRECTORY));
  TRY(lock(parent, root));
  TRY(make_own_directory(parent, id));
  StateDir dir(root + "/" + id, TRY(open_at(parent, id, O_RDONLY | O_DIRECTORY)), UniqueFd());
  dir.status_ = TRY(open_at(dir.fd(), "status", O_RDWR | O_CREAT | O_EXCL, 0600));
  TRY(lock(dir.status_, "status"));
  return dir;
}

Result<StateDir> StateDir::adopt(const std::string& root, const std::string& id) {
  const std::string path = root + "/" + id;
  if (!is_plain_name(id)) return Error{"'" + id + "' is no container id", EINVAL};
  const UniqueFd parent = TRY(open_at(kCwd, root, O_RDONLY | O_DIRECTORY));
  TRY(lock(parent, root));
  StateDir dir(path, TRY(open_at(parent, id, O_RDONLY | O_DIRECTORY)), UniqueFd());
  dir.keep();
  if (is_held(dir.fd())) return Error{"container '" + id + "' is supervised already"};
  dir.status_ = TRY(open_at(dir.fd(), "status", O_RDWR));
  TRY(lock(dir.status_, "status"));
  return dir;
}

StateDir::StateDir(StateDir&& other) noexcept
    : path_(std::exchange(other.path_, "")),
      fd_(std::move(other.fd_)),
      status_(std::move(other.status_)),
      kept_(other.kept_) {}

StateDir::~StateDir() {
  if (!path_.empty() && !kept_) (void)remove_tree(kCwd, path_);  // a leftover is replaced next time
}

Result<void> StateDir::write(const std::string& name, const std::string& text) const {
  return replace_file_at(fd_, name, text);
}

Result<void> StateDir::record_exit(int status) {
  return record(std::to_string(status));
}

Result<void> StateDir::record_unknown_exit() {
  return record(kUnknownExit);
}

Result<void> StateDir::record(const std::string& text) {
  TRY(replace_file_at(fd_, "exit", text, 0644, Sync::Yes));
  return write_all(status_, text, "status");
}

Result<SeenState> SeenState::open(const std::string& root, const std::string& id) {
  const auto missing = [&](int code) {
    return Error{"no container '" + id + "' under '" + root + "'", code};
  };
  if (!is_plain_name(id)) return missing(EINVAL);
  auto fd = open_at(kCwd, root + "/" + id, O_RDONLY | O_DIRECTORY);
  if (!fd) return missing(fd.error().code);
  auto status = open_at(*fd, "status", O_RDONLY);
  if (!status) return missing(status.error().code);
  return SeenState(id, std::move(*fd), std::move(*status));
}

bool SeenState::alive() const {
  return is_held(fd_);
}

Result<int> SeenState::wait_exit() const {
  while (::flock(status_.get(), LOCK_SH) != 0)
    if (errno != EINTR) return errno_error("wait for", id_);
  (void)::flock(status_.get(), LOCK_UN);
  (void)::lseek(status_.get(), 0, SEEK_SET);
  const std::string text = TRY(read_all(status_, "status", 64));
  const auto status = parse_integer(text);
  if (!status && text == kUnknownExit)
    return Error{"exit status of '" + id_ + "' is unknown: it was adopted, and nobody was told"};
  if (!status) return Error{"exit status of '" + id_ + "' is unknown: its shim was killed"};
  return static_cast<int>(*status);
}

Result<std::string> SeenState::read(const std::string& name) const {
  return read_file_at(fd_, name);
}
