// SPDX-License-Identifier: Apache-2.0
// logs.cc - `shim logs`: what a container has written, as it wrote it.
#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/json.h"

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
    if (file.empty()) continue;
    const std::string name = TRY(driver.string());
    source.log = TRY(parse_log_driver(name + ":" + file));
    return source;
  }
  return Error{"it writes no log that can be read back", 0, "start it with --log json:FILE"};
}

class Printer {
 public:
  explicit Printer(const Options& options)
      : timestamps_(options.flag("timestamps")), only_(options.value_or("stream", "")) {}

  Result<void> print(const LogRecord& record) {
    const bool error = record.stream == Stream::Err;
    if (!only_.empty() && only_ != (error ? "stderr" : "stdout")) return {};
    const std::string line =
        timestamps_ && at_line_start_ ? record.time + " " + record.text : record.text;
    at_line_start_ = record.text.ends_with('\n');
    return write_all(FdRef(error ? STDERR_FILENO : STDOUT_FILENO), line, "output");
  }

 private:
  bool timestamps_;
  std::string only_;
  bool at_line_start_ = true;
};

// Until the shim has gone; each change in the log's directory wakes us up.
Result<void> follow(LogReader& reader, const SeenState& state, const Source& source) {
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
  Printer printer(arguments.options);
  LogReader reader(source.log, [&](const LogRecord& record) { return printer.print(record); });
  if (arguments.options.flag("follow"))
    TRY(follow(reader, state, source));
  else
    TRY(reader.read_on());
  return 0;
}
