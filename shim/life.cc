// SPDX-License-Identifier: Apache-2.0
#include "life.h"

#include <signal.h>
#include <unistd.h>

#include "common/json.h"
#include "common/timestamp.h"

Life::~Life() {
  end();
  (void)remove();
}

Result<void> Life::create() {
  const RunCommand& options = host_.options;
  const IoWishes wishes = {options.terminal, options.input, passes_through(options.logs), true};
  io_.emplace(TRY(ContainerIo::create(wishes, host_.state.fd(), host_.state.path())));
  const std::string pid_file = host_.state.path() + "/pid";
  std::vector<std::string> verb = {"create", "--bundle", options.bundle, "--pid-file", pid_file};
  if (io_->console()) {
    verb.emplace_back("--console-socket");
    verb.push_back(io_->console()->path());
  }
  verb.push_back(options.id);
  ChildProcess child = TRY(host_.runtime.begin(verb, io_->runtime_side()));
  TRY(io_->receive_console(child));
  TRY(host_.runtime.finish(child, "create", io_->err));
  created_ = true;
  io_->close_runtime_side();
  const auto pid = parse_integer(TRY(read_file(pid_file, 32)));
  if (!pid || *pid <= 0) return Error{"the runtime wrote no pid to '" + pid_file + "'"};
  pid_ = static_cast<pid_t>(*pid);
  return connect();
}

Result<void> Life::take_over(pid_t pid, const OutputPipes& pipes) {
  pid_ = pid;
  created_ = true;
  io_.emplace(TRY(ContainerIo::of_process(pid, pipes)));
  TRY(connect());
  check_health();
  return {};
}

// Everything that listens, before the container's program runs.
Result<void> Life::connect() {
  TRY(host_.supervisor.watch(pid_));
  oom_ = OomWatch::create(host_.loop, pid_, [this] { host_.notices.event("oom", pid_); });
  const std::string& pid_file = host_.options.pid_file;
  if (!pid_file.empty()) TRY(replace_file(pid_file, std::to_string(pid_)));
  if (host_.relay != nullptr) TRY(connect_streams());
  return {};
}

Result<void> Life::connect_streams() {
  const bool has_terminal = host_.options.terminal && io_->out;
  pipes_ = io_->pipes();
  if (io_->in)
    input_ = TRY(Input::create(host_.loop, std::move(io_->in), has_terminal));
  else
    input_ = Input::none(host_.loop);
  attach_ = TRY(AttachServer::create(host_.loop, host_.state.fd(), "attach", host_.notices));
  attach_->feed(*input_, false);
  host_.relay->on_output(
      [this](Stream stream, std::string_view bytes) { attach_->send(stream, bytes); });
  if (has_terminal) {
    terminal_.reset(::fcntl(io_->out.get(), F_DUPFD_CLOEXEC, 3));
    if (!terminal_) return errno_error("duplicate", "container terminal");
  }
  if (io_->out) TRY(host_.relay->add_source(Stream::Out, std::move(io_->out), has_terminal));
  if (io_->err) TRY(host_.relay->add_source(Stream::Err, std::move(io_->err)));
  if (!foreground()) return {};
  if (host_.options.input) TRY(input_->follow(FdRef(STDIN_FILENO)));
  if (has_terminal && copy_window_size(FdRef(STDIN_FILENO), terminal_))
    host_.supervisor.on_window_change([this] { copy_window_size(FdRef(STDIN_FILENO), terminal_); });
  return {};
}

Result<void> Life::start() {
  TRY(host_.runtime.run({"start", host_.options.id}));
  if (foreground() && host_.options.terminal && host_.options.input)
    if (auto raw = RawTerminal::enter(FdRef(STDIN_FILENO))) raw_.emplace(std::move(*raw));
  host_.notices.event("start", pid_);
  check_health();
  return {};
}

void Life::check_health() {
  const HealthOptions& options = host_.options.health;
  if (options.command.empty()) return;
  const std::string pid_file = host_.state.path() + "/health.pid";
  auto exec = host_.runtime.words({"exec", "--pid-file", pid_file, host_.options.id});
  (void)host_.state.write("health", R"({"status":"starting","failures":0})");
  health_ =
      std::make_unique<Health>(host_.loop, host_.children, options, std::move(exec), pid_file,
                               [this](const Health::Report& report) { report_health(report); });
}

void Life::report_health(const Health::Report& report) const {
  JsonWriter w;
  w.begin_object().member("status", report.record.text());
  w.member("failures", report.record.failures());
  w.member("exitStatus", report.status).member("output", std::string_view(report.output));
  w.member("time", rfc3339_nano(now())).end_object();
  (void)host_.state.write("health", w.take());
  if (!report.changed) return;
  JsonWriter data;
  data.begin_object().member("status", report.record.text());
  data.member("failures", report.record.failures()).end_object();
  host_.notices.event("health", pid_, data.take());
  if (host_.options.health.kills && report.record.status() == HealthRecord::Status::Unhealthy)
    host_.supervisor.send(SIGKILL);
}

void Life::resize(const Order& order) const {
  if (terminal_) (void)set_window_size(terminal_, order.height, order.width);
}

void Life::end() {
  health_.reset();
  raw_.reset();
  if (oom_) oom_->look();
  oom_.reset();
  if (input_) input_->stop_following();
  host_.supervisor.on_window_change(nullptr);
  if (host_.relay != nullptr) host_.relay->on_output(nullptr);
  if (attach_) attach_->close();
}

Result<void> Life::remove() {
  if (!created_) return {};
  created_ = false;
  return host_.runtime.run({"delete", "--force", host_.options.id});
}
