// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "common/json.h"

#include "attach_server.h"
#include "container_io.h"
#include "control.h"
#include "detach.h"
#include "input.h"
#include "oom_watch.h"
#include "relay.h"
#include "state_dir.h"
#include "stream_sink.h"
#include "supervisor.h"

namespace {

// After the start, until what it needed is returned to the kernel.
constexpr std::chrono::milliseconds kSettleTime{500};

// A container that the runtime has made; deleted again, whatever happens.
class CreatedContainer {
 public:
  CreatedContainer(const Runtime& runtime, std::string id)
      : runtime_(runtime), id_(std::move(id)) {}
  CreatedContainer(const CreatedContainer&) = delete;
  CreatedContainer& operator=(const CreatedContainer&) = delete;
  ~CreatedContainer() { (void)remove(); }

  Result<void> remove() {
    const std::string id = std::exchange(id_, "");
    if (id.empty()) return {};
    return runtime_.run({"delete", "--force", id});
  }
  void keep() { id_.clear(); }

 private:
  const Runtime& runtime_;
  std::string id_;
};

// One container's supervision: what must live as long as it does, in the order
// in which it is made. run() is the story.
class Session {
 public:
  Session(RunCommand options, StateDir state)
      : options_(std::move(options)),
        state_(std::move(state)),
        notices_(options_.id, EventLog::open("shim", options_.events)),
        runtime_(options_.runtime, state_.path() + "/runtime.log") {}

  Result<int> run(Detachment* detachment);

 private:
  Result<void> open_logs();
  Result<void> create();
  Result<void> connect();
  Result<void> connect_streams();
  Result<void> start(CreatedContainer& container);
  Result<void> write_config() const;
  Result<void> announce_exit(int status);
  bool foreground() const { return !options_.detach; }
  bool passes_through() const;

  RunCommand options_;
  StateDir state_;
  Notices notices_;
  Runtime runtime_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<AttachServer> attach_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<OomWatch> oom_;
  std::optional<ContainerIo> io_;
  UniqueFd terminal_;  // the container's
  std::optional<RawTerminal> raw_;
  pid_t pid_ = 0;
};

bool Session::passes_through() const {
  return !options_.logs.empty() && options_.logs.front().kind == LogDriver::Kind::Passthrough;
}

Result<void> Session::open_logs() {
  loop_ = std::make_unique<Loop>(TRY(Loop::create()));
  if (passes_through()) return {};
  relay_ = TRY(Relay::create(*loop_, notices_));
  const LogSettings settings = {options_.log_limits, {.id = options_.id, .name = options_.id}};
  for (const LogDriver& log : options_.logs) {
    auto sink = TRY(open_sink(log, settings, notices_));
    if (sink) relay_->add_sink(std::move(sink));
  }
  if (foreground()) relay_->add_sink(std::make_unique<StreamSink>());
  return {};
}

Result<void> Session::create() {
  const IoWishes wishes = {options_.terminal, options_.input, passes_through()};
  io_.emplace(TRY(ContainerIo::create(wishes, state_.fd(), state_.path())));
  const std::string pid_file = state_.path() + "/pid";
  std::vector<std::string> verb = {"create", "--bundle", options_.bundle, "--pid-file", pid_file};
  if (io_->console()) {
    verb.emplace_back("--console-socket");
    verb.push_back(io_->console()->path());
  }
  verb.push_back(options_.id);
  ChildProcess child = TRY(runtime_.begin(verb, io_->runtime_side()));
  TRY(io_->receive_console(child));
  TRY(runtime_.finish(child, "create", io_->err));
  io_->close_runtime_side();
  const auto pid = parse_integer(TRY(read_file(pid_file, 32)));
  if (!pid || *pid <= 0) return Error{"the runtime wrote no pid to '" + pid_file + "'"};
  pid_ = static_cast<pid_t>(*pid);
  return {};
}

// Everything that listens, before the container's program runs.
Result<void> Session::connect() {
  TRY(supervisor_->watch(pid_));
  oom_ = OomWatch::create(*loop_, pid_, [this] { notices_.event("oom", pid_); });
  if (!options_.pid_file.empty()) TRY(replace_file(options_.pid_file, std::to_string(pid_)));
  TRY(write_config());
  if (relay_) TRY(connect_streams());
  control_ = TRY(Control::create(*loop_, state_.fd(), "ctl", "", [this](const Order& order) {
    if (order.kind == Order::Kind::Resize && terminal_)
      (void)set_window_size(terminal_, order.height, order.width);
    if (order.kind == Order::Kind::Reopen && relay_)
      if (const auto reopened = relay_->reopen_logs(); !reopened)
        notices_.warn("log-not-reopened", reopened.error().text());
  }));
  return {};
}

Result<void> Session::connect_streams() {
  if (io_->in)
    input_ = TRY(Input::create(*loop_, std::move(io_->in), options_.terminal));
  else
    input_ = Input::none(*loop_);
  attach_ = TRY(AttachServer::create(*loop_, state_.fd(), "attach", notices_));
  attach_->feed(*input_, false);
  relay_->on_output(
      [this](Stream stream, std::string_view bytes) { attach_->send(stream, bytes); });
  if (options_.terminal) {
    terminal_.reset(::fcntl(io_->out.get(), F_DUPFD_CLOEXEC, 3));
    if (!terminal_) return errno_error("duplicate", "container terminal");
  }
  TRY(relay_->add_source(Stream::Out, std::move(io_->out), options_.terminal));
  TRY(relay_->add_source(Stream::Err, std::move(io_->err)));
  if (!foreground()) return {};
  if (options_.input) TRY(input_->follow(FdRef(STDIN_FILENO)));
  if (!options_.terminal) return {};
  if (copy_window_size(FdRef(STDIN_FILENO), terminal_))
    supervisor_->on_window_change([this] { copy_window_size(FdRef(STDIN_FILENO), terminal_); });
  return {};
}

Result<void> Session::start(CreatedContainer& container) {
  auto started = runtime_.run({"start", options_.id});
  if (!started) {
    (void)container.remove();
    return std::move(started).error();
  }
  if (foreground() && options_.terminal && options_.input)
    if (auto raw = RawTerminal::enter(FdRef(STDIN_FILENO))) raw_.emplace(std::move(*raw));
  notices_.event("start", pid_);
  return {};
}

Result<void> Session::write_config() const {
  JsonWriter w;
  w.begin_object();
  w.member("id", options_.id).member("bundle", options_.bundle);
  w.member("runtime", options_.runtime.program).member("runtimeArgs", options_.runtime.global);
  w.member("pid", static_cast<int>(pid_)).member("shimPid", static_cast<int>(::getpid()));
  w.member("terminal", options_.terminal);
  w.key("logs").begin_array();
  for (const LogDriver& log : options_.logs) {
    w.begin_object().member("driver", driver_name(log.kind));
    w.member("path", log.path).end_object();
  }
  w.end_array().end_object();
  return state_.write("config", w.take());
}

// The status is on disk before anybody can learn of the exit.
Result<void> Session::announce_exit(int status) {
  if (oom_) oom_->look();
  Result<void> written;
  if (relay_) written = relay_->sync_logs();
  if (written && !options_.exit_file.empty())
    written = replace_file(options_.exit_file, std::to_string(status), 0644, Sync::Yes);
  if (const auto recorded = state_.record_exit(status); written && !recorded) written = recorded;
  JsonWriter data;
  data.begin_object().member("status", status).end_object();
  notices_.event("exit", pid_, data.take());
  if (attach_) attach_->close();
  return written;
}

Result<int> Session::run(Detachment* detachment) {
  TRY(open_logs());
  TRY(become_subreaper());
  UniqueFd signals = TRY(take_signals());  // from here on they wait for the loop
  supervisor_ = TRY(Supervisor::create(*loop_, relay_.get(), notices_, std::move(signals)));
  TRY(create());
  CreatedContainer container(runtime_, options_.id);
  TRY(connect());
  TRY(start(container));
  if (detachment != nullptr) {
    notices_.be_quiet();
    detachment->ready();
  }
  loop_->after(kSettleTime, [this] { loop_->rest(); });
  const int status = TRY(supervisor_->wait_for_end());
  raw_.reset();
  const auto announced = announce_exit(status);
  if (options_.keep) {
    container.keep();
    state_.keep();
  } else if (const auto removed = container.remove(); !removed) {
    notices_.warn("not-deleted", removed.error().text());
  }
  if (!announced) return announced.error();
  return status;
}

Result<int> run_session(const RunCommand& options, Detachment* detachment) {
  StateDir state = TRY(StateDir::create(options.state_root, options.id));
  return Session(options, std::move(state)).run(detachment);
}

std::string failure_text(const Error& error) {
  return "shim: run: " + error.text();
}

int run_detached(const RunCommand& options, Detachment detachment) {
  const auto status = run_session(options, &detachment);
  if (status) return *status;
  const int failed = status_of_failure(status.error());
  detachment.fail(failed, failure_text(status.error()));
  return failed;
}

}  // namespace

Result<int> cmd_run(const Arguments& arguments) {
  const RunCommand options = TRY(parse_run(arguments));
  // What our caller has open is not for the container, nor for us to hold for hours.
  if (::close_range(STDERR_FILENO + 1, ~0U, 0) != 0) return errno_error("close", "descriptors");
  if (options.detach) {
    auto fork = TRY(Detachment::begin());
    if (!fork.child) return fork.caller_status;
    return run_detached(options, std::move(*fork.child));
  }
  auto status = run_session(options, nullptr);
  if (status) return status;
  // A shell's statuses for a program that is not there or cannot be executed.
  const int failed = status_of_failure(status.error());
  if (failed == 1) return status;
  std::fprintf(stderr, "%s\n", failure_text(status.error()).c_str());
  return failed;
}
