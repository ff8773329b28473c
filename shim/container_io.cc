// SPDX-License-Identifier: Apache-2.0
#include "container_io.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace {

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
  return io;
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
