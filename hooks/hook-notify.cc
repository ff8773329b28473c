// SPDX-License-Identifier: Apache-2.0
// hook-notify.cc - an OCI hook: tells a program or a webhook of chosen events. The
// container waits for the decision only; rate limit, delivery and retries happen in
// the background. The webhook itself is hook-notify-post's, which needs libcurl.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>

#include "common/child_process.h"
#include "common/events.h"
#include "common/json.h"
#include "common/oci_state.h"

#include "background.h"
#include "hook_main.h"
#include "rate_limit.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"on", 0, Kind::List, "EVENT", "tell of this event (default: of every one)"},
    {"event", 0, Kind::Value, "NAME", "what has happened (default: the state's status)"},
    {"url", 0, Kind::Value, "URL", "POST the event there, as JSON"},
    {"header", 0, Kind::List, "LINE", "one more header of the request"},
    {"program", 0, Kind::Value, "PATH", "run this, the event on its standard input"},
    {"rate", 0, Kind::Value, "N/SECONDS", "at most so many in so long (default: 60/60)"},
    {"retries", 0, Kind::Value, "N", "try again so often (default: 5)"},
    {"pause", 0, Kind::Value, "MS", "before the first retry; doubles (default: 1000)"},
    {"timeout", 0, Kind::Value, "SECONDS", "for one attempt (default: 10)"},
    {"state-dir", 0, Kind::Value, "DIR", "rates and counters (default: /run/hook-notify)"},
    {"dropped", 0, Kind::Flag, "", "print how many notifications were given up so far"},
};

struct Delivery {
  std::vector<std::string> argv;
  Rate rate;
  long retries = 5;
  std::chrono::milliseconds pause{1000};
  std::chrono::seconds timeout{10};
  std::string directory;
};

Result<long> number_or(const Options& options, std::string_view name, long otherwise, long most) {
  const auto text = options.value(name);
  if (!text) return otherwise;
  const auto number = parse_integer(*text);
  if (!number || *number < 0 || *number > most)
    return Error{"--" + std::string(name) + ": '" + *text + "' is no number from 0 to " +
                 std::to_string(most)};
  return *number;
}

Result<std::vector<std::string>> command_of(const Options& options, long timeout) {
  const auto url = options.value("url");
  const auto program = options.value("program");
  if (url.has_value() == program.has_value()) return Error{"one of --url and --program is needed"};
  if (program) return std::vector{*program};
  std::vector<std::string> argv = {sibling_program("hook-notify-post"), "--timeout",
                                   std::to_string(timeout), "--url", *url};
  for (const std::string& header : options.values("header")) {
    argv.emplace_back("--header");
    argv.push_back(header);
  }
  return argv;
}

Result<Delivery> delivery_of(const Options& options) {
  Delivery out;
  const std::string rate = options.value_or("rate", "60/60");
  const auto parsed = parse_rate(rate);
  if (!parsed) return Error{"--rate: '" + rate + "' is not N/SECONDS"};
  out.rate = *parsed;
  out.retries = TRY(number_or(options, "retries", 5, 100));
  out.pause = std::chrono::milliseconds(TRY(number_or(options, "pause", 1000, 3'600'000)));
  const long timeout = TRY(number_or(options, "timeout", 10, 3600));
  out.timeout = std::chrono::seconds(timeout);
  out.argv = TRY(command_of(options, timeout));
  out.directory = options.value_or("state-dir", "/run/hook-notify");
  return out;
}

std::string line_of(const OciState& state, const std::string& event, std::size_t suppressed) {
  JsonWriter w;
  w.begin_object().member("bundle", state.bundle).member("status", state.status);
  w.key("annotations").begin_object();
  for (const auto& [key, value] : state.annotations) w.member(key, value);
  w.end_object();
  if (suppressed != 0) w.member("suppressed", std::uint64_t{suppressed});
  return event_line("notify", state.id, event, state.pid, w.end_object().take());
}

bool delivered(const Delivery& delivery, const std::string& line) {
  RunOptions options;
  options.input = line;
  options.timeout = delivery.timeout + std::chrono::seconds(1);
  const auto output = run(Command{delivery.argv}, options);
  return output && output->status == 0;
}

void wait_for(std::chrono::milliseconds time) {
  const timespec duration = {time.count() / 1000, time.count() % 1000 * 1'000'000};
  (void)::nanosleep(&duration, nullptr);
}

// In the background: nobody is left to be told of an error but the counters.
void deliver(const Delivery& delivery, const OciState& state, const std::string& event) {
  if (!make_directories(delivery.directory, 0700)) return;
  const std::string target = delivery.argv.size() > 1 ? delivery.argv[4] : delivery.argv[0];
  const std::string file =
      delivery.directory + "/rate-" + std::to_string(std::hash<std::string>{}(target));
  const auto admitted = admit_one(file, delivery.rate);
  if (admitted && !*admitted) return;
  const std::string line = line_of(state, event, admitted ? **admitted : 0);
  std::chrono::milliseconds pause = delivery.pause;
  for (long attempt = 0; attempt <= delivery.retries; ++attempt, pause *= 2) {
    if (attempt != 0) wait_for(std::min(pause / 2, std::chrono::milliseconds(600'000)));
    if (delivered(delivery, line)) return;
  }
  count_dropped(delivery.directory);
}

Result<int> notify(const ParsedWords& words) {
  const Options& options = words.options;
  if (options.flag("dropped")) {
    std::printf("%zu\n", dropped_so_far(options.value_or("state-dir", "/run/hook-notify")));
    return 0;
  }
  const Delivery delivery = TRY(delivery_of(options));
  const OciState state = TRY(read_oci_state(FdRef(STDIN_FILENO)));
  const std::string event = options.value_or("event", state.status);
  const auto chosen = options.values("on");
  if (!chosen.empty() && std::ranges::find(chosen, event) == chosen.end()) return 0;
  if (!TRY(go_to_background())) return 0;
  deliver(delivery, state, event);
  ::_exit(0);
}

constexpr Hook kHook = {"hook-notify", "<STATE", "tell a program or a webhook of an event",
                        kOptions, notify};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
