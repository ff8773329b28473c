// SPDX-License-Identifier: Apache-2.0
#include "common/child_process.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <climits>

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  (void)signal(SIGKILL);
  (void)wait();  // nothing useful can be done about a failure here
}

Result<void> ChildProcess::signal(int number) const {
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) != 0)
    return errno_error("signal process", std::to_string(pid_));
  return {};
}

Result<int> ChildProcess::wait() {
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return errno_error("wait for process", std::to_string(pid_));
  pid_ = -1;
  return exit_code(status);
}

int exit_code(int wait_status) noexcept {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  // execve's argv is char* for historical reasons only: nobody writes through it.
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// The file actions and attributes of posix_spawn, freed whatever happens.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  int fill(const Command& command) {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // Sources of 0..2 are first moved out of the way, so no dup2 overwrites a later source.
    const std::array<int, 3> source = {command.in, command.out, command.err};
    for (int to = 0; to < 3; ++to)
      if (const int e = ::posix_spawn_file_actions_adddup2(&actions_, source[size(to)], 100 + to))
        return e;
    for (int to = 0; to < 3; ++to) {
      if (const int e = ::posix_spawn_file_actions_adddup2(&actions_, 100 + to, to)) return e;
      if (const int e = ::posix_spawn_file_actions_addclose(&actions_, 100 + to)) return e;
    }
    return 0;
  }

  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  static std::size_t size(int i) { return static_cast<std::size_t>(i); }
  posix_spawn_file_actions_t actions_ = {};
  posix_spawnattr_t attributes_ = {};
};

}  // namespace

Result<ChildProcess> start(const Command& command) {
  if (command.argv.empty()) return Error{"start a program: its name is missing", EINVAL};
  SpawnPlan plan;
  std::vector<char*> argv = pointers(command.argv);
  std::vector<char*> env = pointers(command.env.value_or(std::vector<std::string>()));
  pid_t pid = -1;
  int failed = plan.fill(command);
  if (failed == 0)
    failed = ::posix_spawnp(&pid, command.program.empty() ? argv[0] : command.program.c_str(),
                            plan.actions(), plan.attributes(), argv.data(),
                            command.env ? env.data() : environ);
  if (failed != 0) return Error{"execute '" + command.argv[0] + "'", failed};
  // Not reaped yet, so the number still means our child.
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int why = errno;
  ChildProcess child(pid, std::move(pidfd));
  if (child.pidfd().get() < 0) {
    (void)::kill(pid, SIGKILL);
    return Error{"open a pidfd of '" + command.argv[0] + "'", why};
  }
  return child;
}

namespace {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds = {};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return errno_error("create", "pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// The three pipes of a running program, from our side.
class Conversation {
 public:
  Conversation(std::string_view input, std::size_t limit) : input_(input), limit_(limit) {}

  Result<Output> hold(ChildProcess& child, const RunOptions& options, const std::string& name);
  UniqueFd in, out, err;  // our ends

 private:
  bool feed();
  Result<bool> collect(UniqueFd& from, std::string& into) const;
  Result<void> turn(std::array<pollfd, 3>& fds, Output& output);
  std::string_view input_;
  std::size_t limit_;
};

// False once there is nothing left to write. SIGPIPE is blocked by run().
bool Conversation::feed() {
  if (input_.empty()) return false;
  const ssize_t n = ::write(in.get(), input_.data(), input_.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;  // EPIPE: it does not want to know
  input_.remove_prefix(static_cast<std::size_t>(n));
  return !input_.empty();
}

Result<bool> Conversation::collect(UniqueFd& from, std::string& into) const {
  std::array<char, 16384> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const ssize_t n = ::read(from.get(), chunk.data(), chunk.size());
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) return false;
  into.append(chunk.data(), static_cast<std::size_t>(n));
  if (into.size() > limit_)
    return Error{"its output is more than " + std::to_string(limit_) + " bytes", EFBIG};
  return true;
}

Result<void> Conversation::turn(std::array<pollfd, 3>& fds, Output& output) {
  if (fds[0].revents != 0 && !feed()) in.reset();
  if (fds[1].revents != 0 && !TRY(collect(out, output.out))) out.reset();
  if (fds[2].revents != 0 && !TRY(collect(err, output.err))) err.reset();
  return {};
}

Result<Output> Conversation::hold(ChildProcess& child, const RunOptions& options,
                                  const std::string& name) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + options.timeout.value_or(std::chrono::milliseconds(0));
  Output output;
  if (input_.empty()) in.reset();
  while (in || out || err) {
    std::array<pollfd, 3> fds = {
        {{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    int wait = -1;
    if (options.timeout) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      wait = left > INT_MAX ? INT_MAX : left > 0 ? static_cast<int>(left) : 0;
    }
    const int ready = ::poll(fds.data(), fds.size(), wait);
    if (ready < 0 && errno != EINTR) return errno_error("poll", name);
    if (ready == 0) return Error{"run '" + name + "': no end after its time limit", ETIMEDOUT};
    if (ready > 0) TRY(turn(fds, output));
  }
  output.status = TRY(child.wait());
  return output;
}

// Writing to a program that has gone must be an error code, not our death.
class BlockedSigpipe {
 public:
  BlockedSigpipe() {
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &only, &before_);
  }
  BlockedSigpipe(const BlockedSigpipe&) = delete;
  BlockedSigpipe& operator=(const BlockedSigpipe&) = delete;
  ~BlockedSigpipe() {
    if (::sigismember(&before_, SIGPIPE) == 1) return;
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, SIGPIPE);
    const timespec at_once = {};
    while (::sigtimedwait(&only, nullptr, &at_once) > 0) {
    }
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t before_ = {};
};

}  // namespace

Result<Output> run(const Command& command, const RunOptions& options) {
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  const BlockedSigpipe quiet;
  Command piped = command;
  piped.in = in.read.get();
  piped.out = out.write.get();
  piped.err = err.write.get();
  ChildProcess child = TRY(start(piped));
  in.read.reset();
  out.write.reset();
  err.write.reset();
  if (::fcntl(in.write.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("unblock", "pipe");
  Conversation talk(options.input, options.limit);
  talk.in = std::move(in.write);
  talk.out = std::move(out.read);
  talk.err = std::move(err.read);
  auto output = talk.hold(child, options, command.argv[0]);
  if (!output) return std::move(output).error();
  return std::move(*output);
}

std::string sibling_program(const std::string& name) {
  std::array<char, PATH_MAX> self = {};
  const ssize_t n = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  if (n <= 0) return name;
  std::string path(self.data(), static_cast<std::size_t>(n));
  path.resize(path.rfind('/') + 1);
  path += name;
  return ::access(path.c_str(), X_OK) == 0 ? path : name;
}
