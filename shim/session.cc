// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "common/json.h"
#include "common/timestamp.h"

#include "process_info.h"
#include "stream_sink.h"

namespace {

// After the start, until what it needed is returned to the kernel.
constexpr std::chrono::milliseconds kSettleTime{500};

}  // namespace

Session::Session(RunCommand options, StateDir state)
    : options_(std::move(options)),
      state_(std::move(state)),
      notices_(options_.id, EventLog::open("shim", options_.events)),
      runtime_(options_.runtime, state_.path() + "/runtime.log") {}

Result<void> Session::open_logs() {
  loop_ = std::make_unique<Loop>(TRY(Loop::create()));
  if (passes_through(options_.logs)) return {};
  relay_ = TRY(Relay::create(*loop_, notices_));
  const LogSettings settings = {options_.log_limits, options_.labels};
  for (const LogDriver& log : options_.logs)
    if (auto sink = TRY(open_sink(log, settings, {*loop_, children_, notices_})))
      relay_->add_sink(std::move(sink));
  if (!options_.detach) relay_->add_sink(std::make_unique<StreamSink>());
  return {};
}

Result<void> Session::prepare() {
  UniqueFd signals = TRY(take_signals());  // from here on they wait for the loop
  TRY(open_logs());
  TRY(become_subreaper());
  supervisor_ =
      TRY(Supervisor::create(*loop_, relay_.get(), children_, notices_, std::move(signals)));
  supervisor_->on_stop([this](int signal) { stop(signal); });
  control_ = TRY(
      Control::create(*loop_, state_.fd(), "ctl", "", [this](const Order& order) { obey(order); }));
  return {};
}

void Session::obey(const Order& order) {
  if (order.kind == Order::Kind::Resize && life_) life_->resize(order);
  if (order.kind == Order::Kind::Reopen && relay_)
    if (const auto reopened = relay_->reopen_logs(); !reopened)
      notices_.warn("log-not-reopened", reopened.error().text());
}

// Once more, and the container is given no more time.
void Session::stop(int signal) {
  const bool again = stopped_ && options_.stop_timeout;
  stopped_ = true;
  if (again) return supervisor_->send(SIGKILL);
  supervisor_->send(options_.stop_signal != 0 ? options_.stop_signal : signal);
  if (!options_.stop_timeout) return;
  loop_->after(*options_.stop_timeout, [this] {
    notices_.event("stop-timeout", supervisor_->pid());
    supervisor_->send(SIGKILL);
  });
}

void Session::begin_life() {
  life_ = std::make_unique<Life>(LifeHost{*loop_, children_, relay_.get(), *supervisor_, runtime_,
                                          state_, options_, notices_});
  begun_ = Loop::Clock::now();
}

std::chrono::milliseconds Session::lived() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Loop::Clock::now() - begun_);
}

Result<void> Session::create_and_start() {
  begin_life();
  TRY(life_->create());
  TRY(write_config());
  return life_->start();
}

Result<int> Session::live(Detachment* detachment) {
  if (auto started = create_and_start(); !started) {
    life_.reset();
    return std::move(started).error();
  }
  if (detachment != nullptr) {
    notices_.be_quiet();
    detachment->ready();
  }
  loop_->after(kSettleTime, [this] { loop_->rest(); });
  const int status = TRY(supervisor_->wait_for_end());
  end_life(status);
  return status;
}

// A life that could not begin counts as one that failed.
Result<int> Session::live_again() {
  auto status = live(nullptr);
  if (status) return status;
  notices_.warn("restart-failed", status.error().text());
  const int failed = status_of_failure(status.error());
  next_ = options_.restart.next(failed, lived(), stopped_);
  if (next_) return failed;
  if (const auto announced = announce_exit(failed); !announced)
    notices_.warn("exit-not-recorded", announced.error().text());
  return failed;
}

// The news first; then, since it may take long, the delete and what a full disk holds up.
void Session::end_life(int status) {
  next_ = options_.restart.next(status, lived(), stopped_);
  life_->end();
  if (const auto announced = announce_exit(status); !announced)
    notices_.warn("exit-not-recorded", announced.error().text());
  if (options_.keep && !next_) {
    life_->keep();
    state_.keep();
  } else if (const auto removed = life_->remove(); !removed) {
    notices_.warn("not-deleted", removed.error().text());
  }
  if (const auto written = supervisor_->write_what_is_left(); !written)
    notices_.warn("log-dropped", written.error().text());
  life_.reset();
}

// The status is on disk before anybody can learn of the exit.
Result<void> Session::announce_exit(int status) {
  Result<void> written;
  if (relay_) written = relay_->sync_logs();
  const bool known = supervisor_->status_is_known();
  if (written && !options_.exit_file.empty())
    written = replace_file(options_.exit_file, std::to_string(status), 0644, Sync::Yes);
  if (!next_) {
    auto recorded = known ? state_.record_exit(status) : state_.record_unknown_exit();
    if (written) written = std::move(recorded);
  }
  JsonWriter data;
  data.begin_object().member("status", status);
  if (!known) data.member("unknown", true);
  data.end_object();
  notices_.event("exit", supervisor_->pid(), data.take());
  return written;
}

// By it others find the container, and adopt what a killed shim has left.
Result<void> Session::write_config() const {
  JsonWriter w;
  w.begin_object();
  w.member("id", options_.id).member("bundle", options_.bundle);
  w.member("runtime", options_.runtime.program).member("runtimeArgs", options_.runtime.global);
  w.member("pid", static_cast<int>(life_->pid())).member("shimPid", static_cast<int>(::getpid()));
  w.member("pidStart", start_of_process(life_->pid()).value_or(0));
  w.member("started", rfc3339_nano(now())).member("restarts", options_.restart.count());
  w.member("terminal", options_.terminal);
  w.member("outPipe", life_->pipes().out).member("errPipe", life_->pipes().err);
  w.key("logs").begin_array();
  for (const LogDriver& log : options_.logs) {
    w.begin_object().member("driver", driver_name(log.kind));
    w.member("path", log.path).end_object();
  }
  w.end_array().member("directory", options_.directory).member("options", options_.words);
  w.end_object();
  return state_.write("config", w.take());
}

Result<int> Session::restart_as_told(int status) {
  while (next_) {
    JsonWriter data;
    data.begin_object().member("restart", options_.restart.count());
    data.member("delayMs", static_cast<std::int64_t>(next_->count())).end_object();
    notices_.event("restart", 0, data.take());
    if (!TRY(supervisor_->pause(*next_))) {
      next_.reset();
      TRY(state_.record_exit(status));
      break;
    }
    status = TRY(live_again());
  }
  return status;
}

Result<int> Session::run(Detachment* detachment) {
  TRY(prepare());
  const int status = TRY(live(detachment));
  return restart_as_told(status);
}

Result<int> Session::adopt(const Orphan& orphan, Detachment& detachment) {
  options_.restart.begin_at(orphan.restarts);
  TRY(prepare());
  begin_life();
  if (auto taken = life_->take_over(orphan.pid, orphan.pipes); !taken) {
    life_->keep();  // it goes on without us
    state_.keep();
    return std::move(taken).error();
  }
  if (const auto written = write_config(); !written)
    notices_.warn("failed", written.error().text());
  notices_.event("adopt", orphan.pid);
  notices_.be_quiet();
  detachment.ready();
  loop_->after(kSettleTime, [this] { loop_->rest(); });
  const int status = TRY(supervisor_->wait_for_end());
  end_life(status);
  return restart_as_told(status);
}
