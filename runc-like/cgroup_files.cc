// SPDX-License-Identifier: Apache-2.0
#include "cgroup_files.h"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>

namespace {

std::string join(const std::string& directory, std::string_view name) {
  return std::string(directory).append("/").append(name);
}

void trim_end(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
}

// Names of the directories in a cgroup; nothing when it is gone.
std::vector<std::string> children_of(const std::string& path) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
  if (!dir) return out;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") out.push_back(join(path, name));
  }
  return out;
}

bool is_gone(const Error& error) {
  return error.code == ENOENT || error.code == ENODEV;  // ENODEV: opened, then removed
}

Result<void> collect_pids(const std::string& path, std::vector<pid_t>& out) {
  auto text = read_cgroup_file(path, "cgroup.procs");
  if (!text && is_gone(text.error())) return {};
  // A threaded cgroup has no list of its own: its processes are those of the domain.
  if (!text && text.error().code != EOPNOTSUPP) return std::move(text).error();
  if (text) {
    const char* end = text->data() + text->size();
    for (const char* p = text->data(); p < end;) {
      pid_t pid = 0;
      const auto [next, error] = std::from_chars(p, end, pid);
      if (error != std::errc()) break;
      if (pid > 0) out.push_back(pid);  // 0: a process that our pid namespace cannot name
      p = next + 1;
    }
  }
  for (const std::string& child : children_of(path)) TRY(collect_pids(child, out));
  return {};
}

// "+cpu +io +memory" of what is available and not passed on yet.
std::string missing_controllers(const std::string& available, const std::string& enabled) {
  std::string out;
  const std::string known = " " + enabled + " ";
  for (std::size_t at = 0; at < available.size();) {
    const std::size_t end = std::min(available.find(' ', at), available.size());
    const std::string name = available.substr(at, end - at);
    if (!name.empty() && known.find(" " + name + " ") == std::string::npos)
      out.append(out.empty() ? "+" : " +").append(name);
    at = end + 1;
  }
  return out;
}

void pass_on_controllers(const std::string& path) {
  const auto available = read_cgroup_file(path, "cgroup.controllers");
  const auto enabled = read_cgroup_file(path, "cgroup.subtree_control");
  if (!available || !enabled) return;
  const std::string missing = missing_controllers(*available, *enabled);
  if (missing.empty() || write_cgroup_file(path, "cgroup.subtree_control", missing)) return;
  // All or nothing is the kernel's rule: one that it refuses must not cost the others.
  for (std::size_t at = 0; at < missing.size();) {
    const std::size_t end = std::min(missing.find(' ', at), missing.size());
    (void)write_cgroup_file(path, "cgroup.subtree_control", missing.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

Deadline after(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

int milliseconds_until(Deadline deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

Result<void> make_cgroup(const std::string& mount, const std::string& relative,
                         std::vector<std::string>& made) {
  // The whole path first: its parents mostly exist.
  const std::string whole = mount + relative;
  if (::mkdir(whole.c_str(), 0755) == 0) {
    made.push_back(whole);
    return {};
  }
  if (errno == EEXIST) return {};
  if (errno != ENOENT) return errno_error("create cgroup", whole);
  for (std::size_t end = relative.find('/', 1);; end = relative.find('/', end + 1)) {
    const std::string part = mount + relative.substr(0, end);
    if (::mkdir(part.c_str(), 0755) == 0)
      made.push_back(part);
    else if (errno != EEXIST)
      return errno_error("create cgroup", part);
    if (end == std::string::npos) return {};
  }
}

Result<void> fill_cpusets(const std::vector<std::string>& made) {
  for (const std::string& path : made) {
    const std::string parent = path.substr(0, path.rfind('/'));
    for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
      const std::string value = TRY(read_cgroup_file(parent, file));
      TRY(write_cgroup_file(path, file, value));
    }
  }
  return {};
}

void enable_controllers(const std::string& mount, const std::string& relative) {
  pass_on_controllers(mount);
  for (std::size_t end = relative.find('/', 1); end != std::string::npos;
       end = relative.find('/', end + 1))
    pass_on_controllers(mount + relative.substr(0, end));
}

Result<void> remove_cgroup(const std::string& path) {
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  if (errno != EBUSY && errno != ENOTEMPTY) return errno_error("remove cgroup", path);
  for (const std::string& child : children_of(path)) TRY(remove_cgroup(child));
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  return errno_error("remove cgroup", path);
}

Result<std::vector<pid_t>> pids_below(const std::string& path) {
  std::vector<pid_t> out;
  TRY(collect_pids(path, out));
  return out;
}

Result<void> wait_for_event(const std::string& path, std::string_view key, char value,
                            Deadline deadline) {
  const std::string name = join(path, "cgroup.events");
  auto opened = open_at(kCwd, name, O_RDONLY);
  if (!opened && is_gone(opened.error()) && value == '0') return {};
  const UniqueFd events = TRY(std::move(opened));
  // The kernel reports at most one change in 10 ms and delays the rest: a second
  // look after 1, 2, 4 ms is faster, and the event remains for what takes longer.
  for (int pause = 1;;) {
    char text[256];
    const ssize_t n = ::pread(events.get(), text, sizeof text, 0);
    if (n < 0 && errno == ENODEV && value == '0') return {};  // removed: nothing is in it
    if (n < 0) return errno_error("read", name);
    const std::string_view found =
        keyed_value(std::string_view(text, static_cast<std::size_t>(n)), key);
    if (found == std::string_view(&value, 1)) return {};
    const int left = milliseconds_until(deadline);
    if (left == 0)
      return Error{"wait for '" + std::string(key) + " " + value + "' in '" + name + "'",
                   ETIMEDOUT};
    pollfd change = {events.get(), POLLPRI, 0};
    (void)::poll(&change, 1, std::min(left, pause));
    pause = std::min(2 * pause, 1000);
  }
}

Result<std::string> read_cgroup_file(const std::string& path, const std::string& file) {
  std::string text = TRY(read_file(join(path, file)));
  trim_end(text);
  return text;
}

Result<void> write_cgroup_file(const std::string& path, const std::string& file,
                               std::string_view value) {
  const std::string name = join(path, file);
  const UniqueFd fd = TRY(open_at(kCwd, name, O_WRONLY));
  ssize_t n = 0;
  do {
    n = ::write(fd.get(), value.data(), value.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return errno_error("write '" + std::string(value) + "' to", name);
  return {};
}

std::string_view keyed_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return line.substr(key.size() + 1);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return {};
}
