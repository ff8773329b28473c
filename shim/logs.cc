// SPDX-License-Identifier: Apache-2.0
// logs.cc - `shim logs`: what a container has written, as it wrote it.
#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>

#include "common/json.h"
#include "common/timestamp.h"

#include "log_filter.h"
#include "log_reader.h"
#include "run.h"
#include "state_dir.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kTable = std::to_array<Option>({
    {"state-dir", 0, Kind::Value, "DIR", "where running shims show their state (/run/shim)"},
    {"follow", 'f', Kind::Flag, "", "go on until the container ends"},
    {"timestamps", 't', Kind::Flag, "", "the time before each line"},
    {"stream", 0, Kind::Value, "NAME", "only stdout or only stderr"},
    {"since", 0, Kind::Value, "TIME", "not what was written before: an instant, or 10m ago"},
    {"until", 0, Kind::Value, "TIME", "not what was written then or later"},
    {"tail", 'n', Kind::Value, "N", "of what is there only the last N records"},
    {"grep", 0, Kind::Value, "REGEX", "only lines that match (extended)"},
});

struct Source {
  LogDriver log;
  pid_t shim = 0;
};

// The first log that can be read back.
Result<Source> find_log(const SeenState& state) {
  const std::string text = TRY(state.read("config"));
  const JsonDocument document = TRY(JsonDocument::parse("config", text));
  const JsonView pid = TRY(document.root().at("shimPid"));
  const JsonView logs = TRY(document.root().at("logs"));
  Source source;
  source.shim = static_cast<pid_t>(TRY(pid.integer()));
  for (const JsonView& log : TRY(logs.items())) {
    const JsonView driver = TRY(log.at("driver"));
    const JsonView path = TRY(log.at("path"));
    const std::string file = TRY(path.string());
    const std::string name = TRY(driver.string());
    source.log = TRY(parse_log_driver(file.empty() ? name : name + ":" + file));
    if (source.log.is_file()) return source;
  }
  return Error{"it writes no log that can be read back", 0, "start it with --log json:FILE"};
}

class Printer {
 public:
  Printer(LogFilter filter, bool timestamps, std::optional<std::size_t> tail)
      : filter_(std::move(filter)), timestamps_(timestamps), tail_(tail) {}

  Result<void> take(const LogRecord& record) {
    if (!filter_.wants(record)) return {};
    if (!tail_) return print(record);
    last_.push_back(record);
    if (last_.size() > *tail_) last_.pop_front();
    return {};
  }
  // What was there has been read; from now on everything is printed as it comes.
  Result<void> end_of_tail() {
    if (!std::exchange(tail_, std::nullopt)) return {};
    for (const LogRecord& record : last_) TRY(print(record));
    last_.clear();
    return {};
  }

 private:
  Result<void> print(const LogRecord& record) {
    const bool error = record.stream == Stream::Err;
    const std::string line =
        timestamps_ && at_line_start_ ? record.time + " " + record.text : record.text;
    at_line_start_ = record.text.ends_with('\n');
    return write_all(FdRef(error ? STDERR_FILENO : STDOUT_FILENO), line, "output");
  }

  LogFilter filter_;
  bool timestamps_;
  std::optional<std::size_t> tail_;
  std::deque<LogRecord> last_;
  bool at_line_start_ = true;
};

// Until the shim has gone; each change in the log's directory wakes us up.
Result<void> follow(LogReader& reader, Printer& printer, const SeenState& state,
                    const Source& source) {
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const auto slash = source.log.path.rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : source.log.path.substr(0, slash + 1);
  if (!watch || ::inotify_add_watch(watch.get(), directory.c_str(),
                                    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
    return errno_error("watch", directory);
  const UniqueFd shim(static_cast<int>(::syscall(SYS_pidfd_open, source.shim, 0)));
  // Asked after the pidfd was opened, so the number is that of the living shim.
  while (shim && state.alive()) {
    TRY(reader.read_on());
    TRY(printer.end_of_tail());
    std::array<pollfd, 2> fds = {{{watch.get(), POLLIN, 0}, {shim.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return errno_error("poll", "log");
    std::array<char, 4096> events;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (::read(watch.get(), events.data(), events.size()) > 0) {
    }
    if (fds[1].revents != 0) break;
  }
  return reader.read_on();
}

}  // namespace

const std::span<const Option> kLogsOptions = kTable;

Result<int> cmd_logs(const Arguments& arguments) {
  const std::string& id = arguments.positionals.at(0);
  const SeenState state = TRY(SeenState::open(state_root(arguments.options), id));
  const Source source = TRY(find_log(state));
  auto filter = TRY(LogFilter::create(arguments.options, now()));
  std::optional<std::size_t> tail;
  if (const auto text = arguments.options.value("tail"); text && *text != "all") {
    const auto number = parse_integer(*text);
    if (!number || *number < 0) return Error{"--tail '" + *text + "' is no number", EINVAL};
    tail = static_cast<std::size_t>(*number);
  }
  const time_t begin = filter.begin();
  Printer printer(std::move(filter), arguments.options.flag("timestamps"), tail);
  LogReader reader(source.log, [&](const LogRecord& record) { return printer.take(record); });
  reader.skip_before(begin);
  if (arguments.options.flag("follow"))
    TRY(follow(reader, printer, state, source));
  else
    TRY(reader.read_on());
  TRY(printer.end_of_tail());
  return 0;
}
