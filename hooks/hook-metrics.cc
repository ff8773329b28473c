// SPDX-License-Identifier: Apache-2.0
// hook-metrics.cc - what every running container uses, for Prometheus: once to standard
// output, into a file for node_exporter, or served on a unix or loopback socket.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <map>

#include "common/file_lock.h"
#include "common/oci_state.h"

#include "background.h"
#include "container_list.h"
#include "hook_main.h"
#include "metrics_server.h"
#include "small_file.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"root", 0, Kind::List, "DIR", "a runtime's state directory (default: those that are usual)"},
    {"textfile", 0, Kind::Value, "FILE", "replace this file, for node_exporter"},
    {"background", 0, Kind::Flag, "", "as a hook: do not keep the container waiting"},
    {"listen", 0, Kind::Value, "ADDRESS", "serve on unix:PATH, 127.0.0.1:PORT or [::1]:PORT"},
    {"prometheus", 0, Kind::Flag, "", "the older text format, not OpenMetrics"},
    {"state-dir", 0, Kind::Value, "DIR", "counters of hook-events (default: /run/hook-events)"},
};

// Remembers from one scrape to the next where each container is sampled.
class Sampler {
 public:
  // `descriptors`: how many may be kept open.
  explicit Sampler(const Options& options, std::size_t descriptors = 0)
      : held_(descriptors / CgroupReader::kDescriptors),
        roots_(options.values("root")),
        counters_(options.value_or("state-dir", "/run/hook-events")) {
    std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
    own_ = read_small(kCwd, "/proc/self/cgroup", buffer);
  }

  std::string text(MetricsFormat format) {
    const auto begin = std::chrono::steady_clock::now();
    MetricsText out;
    std::map<std::string, Known> still;
    for (const StateFile& file : list_state_files(roots_.empty() ? usual_roots() : roots_))
      sample(file, out, still);
    known_ = std::move(still);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return out.finish(format, dropped_so_far(counters_), took.count());
  }

 private:
  struct Known {
    std::uint64_t version = 0;
    CgroupReader reader;
  };

  void sample(const StateFile& file, MetricsText& out, std::map<std::string, Known>& still) {
    const std::string path = file.root + "/" + file.id;
    auto node = known_.extract(path);
    if (node.empty() || node.mapped().version != file.version) {
      auto proc = open_main_process(file);
      if (!proc) return;
      const auto hold = still.size() < held_ ? CgroupReader::Hold::Yes : CgroupReader::Hold::No;
      still.emplace(path, Known{file.version, CgroupReader::open(std::move(*proc), own_, hold)});
    } else {
      still.insert(std::move(node));
    }
    if (const auto sample = still.at(path).reader.read())
      out.add(file.id, file.root, *sample);
    else
      still.erase(path);
  }

  std::size_t held_;  // containers whose files stay open
  std::vector<std::string> roots_;
  std::string counters_;
  std::string own_;
  std::map<std::string, Known> known_ = {};
};

// Hooks of many containers at once: one samples, one waits, and whoever finds one
// waiting leaves it to that one, which will see this container too.
Result<void> write_textfile(const std::string& path, const Options& options) {
  auto waiting = TRY(FileLock::try_take(kCwd, path + ".waiting"));
  if (!waiting) return {};
  const FileLock turn = TRY(FileLock::take(kCwd, path + ".lock"));
  waiting.reset();
  return replace_file(path, Sampler(options).text(MetricsFormat::Prometheus), 0644);
}

Result<int> serve(const std::string& address, const Options& options) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
  const UniqueFd listener = TRY(listen_on(address));
  constexpr rlim_t kOthers = 256;  // clients, and what is open for a moment
  Sampler sampler(options, limit.rlim_cur > kOthers ? limit.rlim_cur - kOthers : 0);
  TRY(serve_metrics(listener, [&](MetricsFormat format) { return sampler.text(format); }));
  if (address.starts_with("unix:")) (void)::unlink(address.c_str() + 5);
  return 0;
}

Result<int> metrics(const ParsedWords& words) {
  const Options& options = words.options;
  if (const auto address = options.value("listen")) return serve(*address, options);
  if (options.flag("background")) {
    TRY(read_oci_state(FdRef(STDIN_FILENO)));  // what is no hook's state is an error, as anywhere
    if (!TRY(go_to_background())) return 0;
  }
  if (const auto file = options.value("textfile")) {
    TRY(write_textfile(*file, options));
    return 0;
  }
  const auto format =
      options.flag("prometheus") ? MetricsFormat::Prometheus : MetricsFormat::OpenMetrics;
  TRY(write_all(FdRef(STDOUT_FILENO), Sampler(options).text(format), "standard output"));
  return 0;
}

constexpr Hook kHook = {"hook-metrics", "[<STATE]", "what every running container uses", kOptions,
                        metrics};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
