// SPDX-License-Identifier: Apache-2.0
#include "container_list.h"

#include <dirent.h>
#include <glob.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <memory>

#include "process_facts.h"
#include "small_file.h"

std::vector<std::string> usual_roots() {
  std::vector<std::string> out = {"/run/runc-like", "/run/runc", "/run/crun"};
  for (const char* pattern : {"/run/containerd/runc/*", "/run/docker/runtime-*/*",
                              "/run/user/*/runc-like", "/run/user/*/runc", "/run/user/*/crun"}) {
    glob_t found = {};
    if (::glob(pattern, GLOB_ONLYDIR, nullptr, &found) == 0)
      out.insert(out.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
  }
  return out;
}

namespace {

void add_state_files(const std::string& root, std::vector<StateFile>& out) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(root.c_str()), ::closedir);
  while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
    const std::string id = entry->d_name;
    if (id.starts_with('.') || entry->d_type == DT_REG) continue;
    for (const char* name : {"state.json", "status"}) {
      struct stat info = {};
      if (::fstatat(::dirfd(dir.get()), (id + "/" + name).c_str(), &info, 0) != 0) continue;
      const auto changed =
          static_cast<std::uint64_t>(info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec);
      out.push_back({root, id, name, changed ^ info.st_ino << 1U});
      break;
    }
  }
}

// The number of a member anywhere in the text. A quotation mark inside a string is
// written with a backslash, so `"pid"` can only be a whole string.
std::optional<std::uint64_t> number_of(std::string_view text, std::string_view quoted) {
  std::size_t at = text.find(quoted);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find_first_not_of(" \t\n", at + quoted.size());
  if (at == std::string_view::npos || text[at] != ':') return std::nullopt;
  at = text.find_first_not_of(" \t\n", at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data() + at, text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<StateFile> list_state_files(const std::vector<std::string>& roots) {
  std::vector<StateFile> out;
  for (const std::string& root : roots) add_state_files(root, out);
  return out;
}

std::optional<MainProcess> find_main_process(std::string_view state) {
  struct Names {
    std::string_view pid;
    std::string_view start;
  };
  constexpr auto kForms = std::to_array<Names>({{"\"init_process_pid\"", "\"init_process_start\""},
                                                {"\"pid\"", "\"startTime\""},
                                                {"\"pid\"", "\"process-start-time\""}});
  std::optional<MainProcess> out;
  for (const Names& form : kForms) {
    const auto pid = number_of(state, form.pid);
    if (!pid || *pid == 0 || *pid > 0x7fffffff) continue;
    const auto start = number_of(state, form.start);
    out = MainProcess{static_cast<pid_t>(*pid), start.value_or(0)};
    if (start) break;
  }
  return out;
}

std::optional<UniqueFd> open_main_process(const StateFile& file) {
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const std::string path = file.root + "/" + file.id + "/" + file.name;
  const auto main = find_main_process(read_small(kCwd, path.c_str(), buffer));
  if (!main) return std::nullopt;
  UniqueFd proc(
      ::open(("/proc/" + std::to_string(main->pid)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!proc) return std::nullopt;
  const std::string_view stat = read_small(proc, "stat", buffer);
  const auto started = start_ticks(stat);
  if (!started || has_ended(stat) || (main->start_ticks != 0 && *started != main->start_ticks))
    return std::nullopt;
  return proc;
}
