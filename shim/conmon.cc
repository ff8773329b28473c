// SPDX-License-Identifier: Apache-2.0
#include "conmon.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

#include "attach_server.h"
#include "conmon_options.h"
#include "conmon_runtime.h"
#include "conmon_sync.h"
#include "container_io.h"
#include "control.h"
#include "input.h"
#include "notify_relay.h"
#include "oom_watch.h"
#include "relay.h"
#include "supervisor.h"

namespace {

constexpr std::chrono::milliseconds kSettleTime{500};

// Descriptors that the engine has left open for the runtime and for us to hold:
// reserved ports, above all.
std::vector<int> inherited_descriptors() {
  std::vector<int> out;
  DIR* const list = ::opendir("/proc/self/fd");
  if (list == nullptr) return out;
  while (const dirent* const entry = ::readdir(list)) {
    const auto number = parse_integer(entry->d_name);
    if (number && *number > STDERR_FILENO && *number != ::dirfd(list))
      out.push_back(static_cast<int>(*number));
  }
  ::closedir(list);
  return out;
}

// Everything between the engine's call and the container's end. run() is the story.
class Monitor {
 public:
  Monitor(ConmonCommand command, std::vector<int> inherited)
      : command_(std::move(command)),
        inherited_(std::move(inherited)),
        notices_(command_.id, EventLog::open("shim")) {
    if (command_.syslog) notices_.use_syslog();
  }

  // In the engine's process: what must be known before it goes on.
  Result<void> prepare();
  bool goes_to_background() const { return !command_.sync; }
  Result<void> write_own_pid(pid_t pid) const;
  // In the background: to the end; the exit status.
  int run();

 private:
  bool legacy_exec() const { return command_.exec && command_.api < 1; }
  bool passes_through() const { return ::passes_through(command_.logs); }
  Result<void> open_pipes();
  Result<void> connect_engine();
  Result<void> open_control_files();
  void obey(const Order& order);
  Result<void> start_container();
  Result<void> wait_for_runtime(ChildProcess& child);
  std::string runtime_complaint() const;
  Result<void> connect_container();
  Result<int> supervise();
  Result<void> announce_exit(int status);
  void mark_oom() const;
  void link_socket_directory();

  ConmonCommand command_;
  std::vector<int> inherited_;
  Notices notices_;
  OomScore score_;
  std::unique_ptr<Loop> loop_;
  Children children_;
  std::unique_ptr<Relay> relay_;
  SyncPipe sync_;
  SyncPipe attach_pipe_;
  UniqueFd start_pipe_;
  UniqueFd bundle_;
  std::optional<ContainerIo> io_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<AttachServer> attach_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<Control> window_;
  std::unique_ptr<NotifyRelay> notify_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<OomWatch> oom_;
  UniqueFd terminal_;
  std::optional<Order> early_size_;  // asked for before there was a terminal
  std::string link_;
  pid_t pid_ = 0;
  bool runtime_started_ = false;
};

Result<void> Monitor::prepare() {
  (void)::umask(0022);
  const LogSettings settings = {command_.log_limits, command_.labels};
  loop_ = std::make_unique<Loop>(TRY(Loop::create()));
  relay_ = TRY(Relay::create(*loop_, notices_));
  for (const LogDriver& log : command_.logs)
    if (auto sink = TRY(open_sink(log, settings, {*loop_, children_, notices_})))
      relay_->add_sink(std::move(sink));
  if (command_.log_global_limit) relay_->limit_total(*command_.log_global_limit);
  start_pipe_ = TRY(inherited_descriptor("_OCI_STARTPIPE"));
  // The engine moves us into a cgroup and then says so.
  if (start_pipe_) wait_for_engine(start_pipe_);
  std::erase(inherited_, start_pipe_.get());
  if (!command_.exec_attach) start_pipe_.reset();
  return {};
}

Result<void> Monitor::write_own_pid(pid_t pid) const {
  if (command_.conmon_pidfile.empty()) return {};
  return replace_file(command_.conmon_pidfile, std::to_string(pid));
}

Result<void> Monitor::connect_engine() {
  const char* const key = command_.api >= 1 ? "data" : command_.exec ? "exit_code" : "pid";
  sync_ = SyncPipe(TRY(inherited_descriptor("_OCI_SYNCPIPE")), key);
  if (command_.exec_attach) {
    attach_pipe_ = SyncPipe(TRY(inherited_descriptor("_OCI_ATTACHPIPE")), "data");
    if (!attach_pipe_.is_open()) return Error{"--attach specified but _OCI_ATTACHPIPE was not"};
  }
  std::erase_if(inherited_,
                [&](int fd) { return fd == sync_.number() || fd == attach_pipe_.number(); });
  return {};
}

void Monitor::obey(const Order& order) {
  if (order.kind == Order::Kind::Resize) {
    if (terminal_)
      (void)set_window_size(terminal_, order.height, order.width);
    else
      early_size_ = order;
  } else if (const auto reopened = relay_->reopen_logs(); !reopened) {
    notices_.warn("log-not-reopened", reopened.error().text());
  }
}

// CRI-O finds the attach socket at DIR/UUID/attach.
void Monitor::link_socket_directory() {
  if (command_.full_attach || command_.uuid.empty()) return;
  if (!make_directories(command_.socket_dir, 0700)) return;
  link_ = command_.socket_dir + "/" + command_.uuid;
  (void)::unlink(link_.c_str());
  if (::symlink(command_.bundle.c_str(), link_.c_str()) != 0) link_.clear();
}

Result<void> Monitor::open_control_files() {
  if (command_.bundle.empty() || passes_through()) return {};
  link_socket_directory();
  attach_ = TRY(AttachServer::create(*loop_, bundle_, "attach", notices_));
  const auto obey_all = [this](const Order& order) { obey(order); };
  control_ = TRY(Control::create(*loop_, bundle_, "ctl", "", obey_all));
  window_ = TRY(Control::create(*loop_, bundle_, "winsz", "1 ", obey_all));
  if (!command_.notify_socket.empty())
    notify_ = TRY(NotifyRelay::create(*loop_, command_.bundle + "/notify", command_.notify_socket));
  if (!attach_pipe_.is_open()) return {};
  attach_pipe_.send(0);
  wait_for_engine(start_pipe_);  // until the client is there
  start_pipe_.reset();
  return {};
}

// Our side of the container's streams, and nothing of the caller's.
Result<void> Monitor::open_pipes() {
  const IoWishes wishes = {command_.terminal, command_.input, passes_through()};
  const std::string place = command_.bundle.empty() ? "/tmp" : command_.bundle;
  if (!command_.bundle.empty()) bundle_ = TRY(open_directory(command_.bundle));
  const UniqueFd directory = TRY(open_directory(place));
  io_.emplace(TRY(ContainerIo::create(wishes, directory, place)));
  return {};
}

void close_own_stdio() {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) (void)::dup2(null.get(), fd);
}

// What the runtime has said on the container's standard error.
std::string Monitor::runtime_complaint() const {
  std::array<char, 8191> text = {};
  if (!io_->err) return "";
  (void)::fcntl(io_->err.get(), F_SETFL, O_NONBLOCK);
  const ssize_t n = ::read(io_->err.get(), text.data(), text.size());
  return n > 0 ? std::string(text.data(), static_cast<std::size_t>(n)) : "";
}

Result<void> Monitor::wait_for_runtime(ChildProcess& child) {
  TRY(io_->receive_console(child));
  const int status = TRY(child.wait());
  io_->close_runtime_side();
  if (status != 0) {
    sync_.send(-1, runtime_complaint());
    return Error{"the runtime failed with status " + std::to_string(status)};
  }
  const auto pid = parse_integer(TRY(read_file(command_.container_pidfile, 32)));
  if (!pid || *pid <= 0)
    return Error{"the runtime wrote no pid to '" + command_.container_pidfile + "'"};
  pid_ = static_cast<pid_t>(*pid);
  return {};
}

Result<void> Monitor::start_container() {
  const std::string console = io_->console() ? io_->console()->path() : "";
  const char* const listen = ::getenv("LISTEN_PID");
  const bool ours = listen != nullptr && parse_integer(listen) == ::getpid();
  runtime_started_ = true;
  ChildProcess child = TRY(start_runtime(runtime_words(command_, console), io_->runtime_side(),
                                         ours || command_.replace_listen_pid, score_));
  if (passes_through()) close_own_stdio();
  return wait_for_runtime(child);
}

Result<void> Monitor::connect_container() {
  TRY(supervisor_->watch(pid_));
  oom_ = OomWatch::create(*loop_, pid_, [this] { mark_oom(); });
  if (!legacy_exec()) sync_.send(pid_);
  if (command_.timeout > 0) supervisor_->limit_time(std::chrono::seconds(command_.timeout));
  notices_.event(command_.exec ? "exec" : "create", pid_);
  if (passes_through()) return {};
  if (io_->in)
    input_ = TRY(Input::create(*loop_, std::move(io_->in), command_.terminal));
  else
    input_ = Input::none(*loop_);
  if (attach_) {
    attach_->feed(*input_, command_.leave_stdin_open);
    relay_->on_output(
        [this](Stream stream, std::string_view bytes) { attach_->send(stream, bytes); });
  }
  if (command_.terminal && io_->out) {
    terminal_.reset(::fcntl(io_->out.get(), F_DUPFD_CLOEXEC, 3));
    if (early_size_) obey(*early_size_);
  }
  if (io_->out) TRY(relay_->add_source(Stream::Out, std::move(io_->out), command_.terminal));
  return relay_->add_source(Stream::Err, std::move(io_->err));
}

// Where podman 4 and CRI-O look for it, and where podman 5 does.
void Monitor::mark_oom() const {
  for (const std::string& directory : {command_.bundle, command_.persist_dir})
    if (!directory.empty()) (void)replace_file(directory + "/oom", "");
  notices_.event("oom", pid_);
}

// The status is on disk before anybody can learn of the exit, and the ports are
// free before that.
Result<void> Monitor::announce_exit(int status) {
  if (oom_) oom_->look();
  if (command_.sync_log)
    if (const auto synced = relay_->sync_logs(); !synced)
      notices_.warn("log-not-synced", synced.error().text());
  for (const int fd : inherited_) (void)::close(fd);
  inherited_.clear();
  Result<void> written;
  const std::string text = std::to_string(status);
  if (!command_.persist_dir.empty())
    written = replace_file(command_.persist_dir + "/exit", text, 0644, Sync::Yes);
  if (!command_.exit_dir.empty()) {
    auto also = replace_file(command_.exit_dir + "/" + command_.id, text, 0644, Sync::Yes);
    if (!also) written = std::move(also);
  }
  if (attach_) attach_->close();
  if (!link_.empty()) (void)::unlink(link_.c_str());
  if (command_.exec) sync_.send(status, status == Supervisor::kTimedOut ? "command timed out" : "");
  notices_.event("exit", pid_, "{\"status\":" + text + "}");
  return written;
}

Result<int> Monitor::supervise() {
  TRY(connect_engine());
  (void)::setsid();  // refused to a session leader, which is as well
  TRY(become_subreaper());
  UniqueFd signals = TRY(take_signals());
  supervisor_ =
      TRY(Supervisor::create(*loop_, relay_.get(), children_, notices_, std::move(signals)));
  TRY(open_pipes());
  if (!passes_through()) close_own_stdio();
  TRY(open_control_files());
  TRY(start_container());
  TRY(connect_container());
  loop_->after(kSettleTime, [this] { loop_->rest(); });
  const int status = TRY(supervisor_->wait_for_end());
  TRY(announce_exit(status));
  return status;
}

int Monitor::run() {
  notices_.be_quiet();
  const auto status = supervise();
  if (!status) {
    notices_.warn("failed", status.error().text());
    if (pid_ == 0 && attach_) attach_->close();
    if (!link_.empty()) (void)::unlink(link_.c_str());
  }
  int result = status ? *status & 0xff : 1;
  for (const int fd : inherited_) (void)::close(fd);
  if (runtime_started_ && !command_.exit_command.empty()) {
    const int ended = run_exit_command(command_.exit_command, command_.exit_delay, score_);
    if (ended != 0) result = ended;
  }
  // A full disk holds up the log, but not the news of the exit.
  if (status) (void)supervisor_->write_what_is_left();
  return result;
}

int fail(const Error& error) {
  std::fprintf(stderr, "conmon: %s\n", error.text().c_str());
  return 1;
}

int monitor(ConmonCommand command, std::vector<int> inherited) {
  Monitor monitor(std::move(command), std::move(inherited));
  if (const auto ready = monitor.prepare(); !ready) return fail(ready.error());
  if (!monitor.goes_to_background()) return monitor.run();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(errno_error("fork", "monitor"));
  if (pid == 0) return monitor.run();
  if (const auto written = monitor.write_own_pid(pid); !written) return fail(written.error());
  ::_exit(0);  // the child has it all
}

bool wants(std::span<const std::string> words, std::string_view option) {
  return std::ranges::find(words, option) != words.end();
}

}  // namespace

bool is_conmon(int argc, char** argv) {
  if (argc < 1) return false;
  const std::string_view path(argv[0]);
  if (path.substr(path.rfind('/') + 1) == "conmon") return true;
  if (argc < 2 || argv[1][0] != '-') return false;
  const std::string_view first(argv[1]);
  return !first.starts_with("--events") && first != "--help" && first != "-h";
}

int run_conmon(int argc, char** argv) try {
  std::vector<int> inherited = inherited_descriptors();
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (wants(words, "--version")) {
    std::fputs(std::string(kConmonVersion).c_str(), stdout);
    return 0;
  }
  if (wants(words, "--help") || wants(words, "-h")) {
    std::printf("usage: conmon [OPTION]...\n\n%s", describe(kConmonOptions).c_str());
    return 0;
  }
  auto command = parse_conmon(words);
  if (!command) return fail(command.error());
  return monitor(std::move(*command), std::move(inherited));
} catch (const std::exception& e) {
  std::fprintf(stderr, "conmon: internal error: %s\n", e.what());
  return 1;
}
