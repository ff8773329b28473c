// SPDX-License-Identifier: Apache-2.0
#include "data_set.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "common/fd.h"

#include "hook_main.h"

namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kValueLimit = std::size_t{128} << 10;  // MAX_ARG_STRLEN
constexpr std::size_t kMostFiles = 1000;

bool is_variable(std::string_view name) {
  return !name.empty() &&
         name.find_first_of(std::string_view("= \t\0", 4)) == std::string_view::npos;
}

struct Entry {
  std::string name;
  mode_t mode = 0;
};

// In the order of their names; nothing when there is no such directory.
Result<std::vector<Entry>> entries_of(const std::string& path) {
  std::vector<Entry> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
  if (!dir && errno == ENOENT) return out;
  if (!dir) return errno_error("open directory", path);
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] == '.') continue;  // also the ..data of a mounted volume
    struct stat info = {};
    if (::fstatat(::dirfd(dir.get()), entry->d_name, &info, 0) != 0)
      return errno_error("look at", path + "/" + entry->d_name);
    out.push_back({entry->d_name, info.st_mode});
  }
  std::ranges::sort(out, {}, &Entry::name);
  return out;
}

// One file per variable; the line end that editors leave is not part of the value.
Result<Variables> read_env_directory(const std::string& path) {
  Variables out;
  for (const Entry& entry : TRY(entries_of(path))) {
    if (!S_ISREG(entry.mode)) continue;
    if (!is_variable(entry.name))
      return Error{"'" + path + "/" + entry.name + "' names no variable"};
    std::string value = TRY(read_file(path + "/" + entry.name, kValueLimit));
    if (value.ends_with('\n')) value.pop_back();
    if (value.find('\0') != std::string::npos)
      return Error{"'" + path + "/" + entry.name + "' contains a NUL byte"};
    out.emplace_back(entry.name, std::move(value));
  }
  return out;
}

Result<Variables> read_env(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return Variables();
    return errno_error("look at", path);
  }
  if (S_ISDIR(info.st_mode)) return read_env_directory(path);
  const std::string text = TRY(read_file(path));
  return parse_env_lines(path, text);
}

Result<void> add_files(const std::string& directory, const std::string& below,
                       std::vector<DataFile>& out, int depth) {
  if (depth > 32) return Error{"'" + directory + "' is nested too deeply"};
  for (const Entry& entry : TRY(entries_of(directory + below))) {
    const std::string path = below + "/" + entry.name;
    if (S_ISDIR(entry.mode)) TRY(add_files(directory, path, out, depth + 1));
    if (S_ISREG(entry.mode)) out.push_back({directory + path, path});
  }
  if (out.size() > kMostFiles)
    return Error{"'" + directory + "' holds more than " + std::to_string(kMostFiles) + " files"};
  return {};
}

}  // namespace

Result<Variables> parse_env_lines(const std::string& name, std::string_view text) {
  Variables out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with('#')) continue;
    const std::size_t equals = line.find('=');
    const std::string_view key = line.substr(0, equals);
    if (equals == std::string_view::npos || !is_variable(key) ||
        line.find('\0') != std::string_view::npos)
      return Error{name + ": line " + std::to_string(number) + ": expected KEY=VALUE"};
    out.emplace_back(key, line.substr(equals + 1));
  }
  return out;
}

Result<DataSet> read_data_set(const std::string& directory) {
  struct stat info = {};
  if (::stat(directory.c_str(), &info) != 0) return errno_error("open data set", directory);
  DataSet out;
  out.env = TRY(read_env(directory + "/env"));
  TRY(add_files(directory + "/files", "", out.files, 0));
  return out;
}

namespace {

Result<std::string> bound_env(const std::optional<JsonView>& process, const DataSet& set,
                              bool keep) {
  const auto existing = process ? process->find("env") : std::nullopt;
  std::vector<std::string> env = existing ? TRY(existing->strings()) : std::vector<std::string>();
  for (const auto& [key, value] : set.env) {
    const std::string assignment = key + "=" + value;
    const auto same = std::ranges::find_if(
        env, [&](const std::string& one) { return one.starts_with(key + "="); });
    if (same == env.end())
      env.push_back(assignment);
    else if (!keep)
      *same = assignment;
  }
  JsonWriter w;
  return w.value(env).take();
}

Result<std::string> bound_mounts(const std::optional<JsonView>& mounts, const DataSet& set,
                                 bool writable) {
  JsonWriter w;
  w.begin_array();
  if (mounts)
    for (const JsonView& mount : TRY(mounts->items())) w.raw(mount.json());
  for (const DataFile& file : set.files)
    w.begin_object()
        .member("destination", file.destination)
        .member("type", "bind")
        .member("source", file.source)
        .member("options",
                std::vector<std::string>{"bind", writable ? "rw" : "ro", "nosuid", "nodev"})
        .end_object();
  return w.end_array().take();
}

}  // namespace

Result<std::string> bind_data(const JsonView& config, const DataSet& set, const Binding& binding) {
  const auto process = config.find("process");
  const std::string env = TRY(bound_env(process, set, binding.keep));
  const std::string mounts = TRY(bound_mounts(config.find("mounts"), set, binding.writable));
  const std::string with_env =
      set.env.empty() ? config.json()
                      : with_member(config, "process", with_member(process, "env", env));
  if (set.files.empty()) return with_env;
  const JsonDocument document = TRY(JsonDocument::parse("config.json", with_env));
  return with_member(document.root(), "mounts", mounts);
}
