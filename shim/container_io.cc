// SPDX-License-Identifier: Apache-2.0
#include "container_io.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace {

// A writer that can also read: the pipe then has a reader as long as it has a
// writer, so that no SIGPIPE comes when the shim is killed, only a full pipe.
Result<void> hold(UniqueFd& write) {
  write = TRY(open_at(kCwd, "/proc/self/fd/" + std::to_string(write.get()), O_RDWR));
  return {};
}

std::uint64_t pipe_number(FdRef fd) {
  struct stat st = {};
  return ::fstat(fd.get(), &st) == 0 && S_ISFIFO(st.st_mode) ? st.st_ino : 0;
}

Result<void> make_pipe(UniqueFd& read, UniqueFd& write) {
  std::array<int, 2> fds = {};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return errno_error("create", "pipe");
  read.reset(fds[0]);
  write.reset(fds[1]);
  // The container's user may open /dev/stdout again, which is this pipe.
  (void)::fchmod(fds[1], 0666);
  return {};
}

}  // namespace

Result<ContainerIo> ContainerIo::create(const IoWishes& wishes, FdRef directory,
                                        const std::string& path) {
  ContainerIo io;
  if (wishes.passthrough) {
    io.passthrough_ = true;
    return io;
  }
  if (wishes.input && !wishes.terminal)
    TRY(make_pipe(io.their_in_, io.in));
  else
    io.their_in_ = TRY(open_at(kCwd, "/dev/null", O_RDWR));
  // Also beside a terminal: the runtime's own messages come this way.
  TRY(make_pipe(io.err, io.their_err_));
  if (wishes.terminal)
    io.console_.emplace(TRY(ConsoleSocket::create(directory, path)));
  else
    TRY(make_pipe(io.out, io.their_out_));
  if (!wishes.held) return io;
  TRY(hold(io.their_err_));
  if (io.their_out_) TRY(hold(io.their_out_));
  return io;
}

Result<ContainerIo> ContainerIo::of_process(pid_t pid, const OutputPipes& pipes) {
  ContainerIo io;
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
  DIR* const list = ::opendir(directory.c_str());
  if (list == nullptr) return errno_error("open", directory);
  while (const dirent* const entry = ::readdir(list)) {
    const std::string path = directory + "/" + entry->d_name;
    struct stat st = {};
    if (::stat(path.c_str(), &st) != 0 || !S_ISFIFO(st.st_mode)) continue;
    UniqueFd* const end = st.st_ino == pipes.out   ? &io.out
                          : st.st_ino == pipes.err ? &io.err
                                                   : nullptr;
    // Nobody else may have put another pipe in its place between the two calls.
    UniqueFd fd(end == nullptr || *end ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd && pipe_number(fd) == st.st_ino) *end = std::move(fd);
  }
  ::closedir(list);
  return io;
}

OutputPipes ContainerIo::pipes() const {
  return {pipe_number(out), pipe_number(err)};
}

RuntimeStdio ContainerIo::runtime_side() const {
  if (passthrough_) return {};
  const int null = their_in_.get();  // with a terminal
  return {null, their_out_ ? their_out_.get() : null, their_err_.get()};
}

Result<void> ContainerIo::receive_console(const ChildProcess& runtime) {
  if (!console_) return {};
  out = TRY(console_->receive(runtime));
  console_.reset();
  if (!out) return {};  // the runtime has failed and says why
  in.reset(::fcntl(out.get(), F_DUPFD_CLOEXEC, 3));
  if (!in) return errno_error("duplicate", "container terminal");
  return {};
}

void ContainerIo::close_runtime_side() {
  their_in_.reset();
  their_out_.reset();
  their_err_.reset();
}
