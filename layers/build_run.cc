// SPDX-License-Identifier: Apache-2.0
// build_run.cc - RUN: a container on the root of the step.
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "common/beneath.h"
#include "common/child_process.h"
#include "common/cli.h"
#include "common/file_lock.h"

#include "build_copy.h"
#include "builder.h"
#include "bundle.h"
#include "image_writer.h"
#include "overlay_mount.h"
#include "runtime_config.h"
#include "target_tree.h"
#include "user_lookup.h"

namespace {

// Of the host's environment, when the user passes them on; they change no result.
constexpr auto kProxies = std::to_array<std::string_view>(
    {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
     "ftp_proxy", "no_proxy", "all_proxy"});

constexpr const char* kScript = "/run/build-script";  // a here-document that begins with "#!"

std::map<std::string, std::string> parse_pairs(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    const auto equals = pair.find('=');
    out[std::string(pair.substr(0, equals))] =
        equals == std::string_view::npos ? "true" : pair.substr(equals + 1);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return out;
}

// The path of what is open, which is somewhere in the host's tree.
Result<std::string> path_of(FdRef fd) {
  std::array<char, PATH_MAX> path = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd.get());
  const ssize_t n = ::readlink(link.c_str(), path.data(), path.size());
  if (n < 0) return errno_error("read link", link);
  return std::string(path.data(), static_cast<std::size_t>(n));
}

Result<std::string> read_secret(const BuildSecret& secret) {
  if (!secret.file.empty()) return read_file(secret.file);
  const char* value = std::getenv(secret.variable.c_str());  // NOLINT(concurrency-mt-unsafe)
  if (value == nullptr) return Error{"the variable '" + secret.variable + "' is not set", ENOENT};
  return std::string(value);
}

Result<Owner> numbers(const std::map<std::string, std::string>& pairs) {
  Owner out;
  for (const auto& [name, place] : {std::pair("uid", &out.uid), std::pair("gid", &out.gid)}) {
    const auto found = pairs.find(name);
    if (found == pairs.end()) continue;
    const auto number = parse_integer(found->second);
    if (!number || *number < 0) return Error{std::string(name) + "=" + found->second};
    *place = static_cast<uid_t>(*number);
  }
  return out;
}

}  // namespace

struct Builder::RunJob {
  struct Mount {
    std::string type;
    std::string target;  // absolute
    std::map<std::string, std::string> pairs;
    Origin origin = {};
    std::string get(const std::string& key, const std::string& otherwise = "") const {
      const auto found = pairs.find(key);
      return found == pairs.end() ? otherwise : found->second;
    }
    bool flag(const std::string& key) const { return get(key) == "true"; }
  };
  std::vector<Mount> mounts = {};
  std::vector<std::string> argv = {};
  std::string network = {};
  std::string inputs = {};
  BundleOptions bundle = {};
  std::vector<FileLock> locks = {};  // of caches that only one may use at a time
};

Result<void> Builder::add_mount(Stage& stage, const std::string& text, RunJob& job) {
  RunJob::Mount mount{.type = "bind", .target = {}, .pairs = parse_pairs(text)};
  mount.type = mount.get("type", "bind");
  constexpr auto kTypes = std::to_array<std::string_view>({"bind", "cache", "secret", "tmpfs"});
  if (std::ranges::find(kTypes, mount.type) == kTypes.end())
    return Error{"--mount=" + text + ": type is bind, cache, secret or tmpfs"};
  std::string target = mount.get("target", mount.get("dst", mount.get("destination")));
  if (target.empty() && mount.type == "secret")
    target = "/run/secrets/" + clean_path(mount.get("id"));
  if (target.empty()) return Error{"--mount=" + text + ": needs a target"};
  const std::string dir = TRY(stage.working_dir());
  mount.target = "/" + clean_path(target.starts_with('/') ? target : dir + "/" + target);
  job.inputs += text + "\n";
  if (mount.type == "bind") {
    mount.origin = TRY(origin(stage, mount.get("from")));
    const SourceTree tree = TRY(open_origin(mount.origin));
    Sha256 hash;
    if (mount.origin.key.empty())
      for (const FoundSource& found :
           TRY(find_sources(tree, mount.get("source", mount.get("src")))))
        TRY(hash_source(tree, found, {}, false, hash));
    job.inputs += mount.origin.key + hash.finish().text() + "\n";
  }
  job.mounts.push_back(std::move(mount));
  return {};
}

Result<void> Builder::prepare_secret(RunJob& job, std::size_t number, StepRoot& root) {
  const RunJob::Mount& mount = job.mounts[number];
  const std::string id = mount.get("id", clean_path(mount.target));
  const auto secret = options_->secrets.find(id);
  if (secret == options_->secrets.end()) {
    if (!mount.flag("required")) return {};
    return Error{"no secret '" + id + "' was given", ENOENT, "add --secret id=" + id + ",src=FILE"};
  }
  // In memory, and in this process's own mount namespace.
  const std::string place = TRY(root.mount_place("mount-" + std::to_string(number)));
  if (::mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    return errno_error("mount tmpfs on", place);
  const std::string text = TRY(read_secret(secret->second));
  const std::string file = place + "/secret";
  const Owner owner = TRY(numbers(mount.pairs));
  const auto mode = change_mode(mount.get("mode", "0400"), 0);
  TRY(write_file_at(kCwd, file, text, 0600));
  if (::chown(file.c_str(), owner.uid, owner.gid) != 0 ||
      ::chmod(file.c_str(), mode.value_or(0400)) != 0)
    return errno_error("change mode of", file);
  job.bundle.mounts.push_back({"bind", file, mount.target, {"bind", "rprivate", "ro"}});
  return {};
}

Result<void> Builder::prepare_mounts(RunJob& job, StepRoot& root) {
  std::size_t number = 0;
  for (const RunJob::Mount& mount : job.mounts) {
    const std::string name = "mount-" + std::to_string(number++);
    if (mount.type == "tmpfs") {
      std::vector<std::string> options = {"nosuid", "nodev"};
      if (mount.pairs.contains("size")) options.push_back("size=" + mount.get("size"));
      job.bundle.mounts.push_back({"tmpfs", "tmpfs", mount.target, options});
    } else if (mount.type == "cache") {
      const std::string id = mount.get("id", mount.target);
      const std::string place = TRY(cache_.directory(id));
      const Owner owner = TRY(numbers(mount.pairs));
      if (::chown(place.c_str(), owner.uid, owner.gid) != 0)
        return errno_error("change owner of", place);
      if (mount.get("sharing") == "locked")
        job.locks.push_back(TRY(FileLock::take(kCwd, place + ".lock")));
      const bool read_only = mount.flag("ro") || mount.flag("readonly");
      job.bundle.mounts.push_back(
          {"bind", place, mount.target, {"bind", "rprivate", read_only ? "ro" : "rw"}});
    } else if (mount.type == "secret") {
      TRY(prepare_secret(job, number - 1, root));
    } else {
      const std::string place =
          TRY(bind_source(mount.origin, mount.get("source", mount.get("src")), root, name));
      const bool writable = mount.flag("rw") || mount.flag("readwrite");
      job.bundle.mounts.push_back(
          {"bind", place, mount.target, {"rbind", "rprivate", writable ? "rw" : "ro"}});
    }
  }
  return {};
}

// Where the runtime finds it. What is written there is lost: it goes to a
// directory of this step's.
Result<std::string> Builder::bind_source(const Origin& origin, const std::string& source,
                                         StepRoot& root, const std::string& name) const {
  std::vector<std::string> layers = origin.layers;
  if (layers.empty()) {
    const SourceTree tree = TRY(open_origin(origin));
    layers.push_back(TRY(path_of(tree.root)));
  }
  for (const char* part : {".upper", ".work"})
    if (::mkdir((root.scratch() + "/" + name + part).c_str(), 0755) != 0)
      return errno_error("create directory", name);
  const std::string place = TRY(root.mount_place(name));
  OverlayPlan plan;
  plan.lowers.assign(layers.rbegin(), layers.rend());
  plan.upper = root.scratch() + "/" + name + ".upper";
  plan.work = root.scratch() + "/" + name + ".work";
  const UniqueFd mount = TRY(mount_overlay(plan));
  TRY(attach_mount(mount, place));
  const UniqueFd top = TRY(open_directory(place));
  const std::string path = clean_path(source);
  auto found = open_in_root(top, path.empty() ? "." : path, O_PATH);
  if (!found) return std::move(found).error().in("source of the mount");
  return path_of(*found);
}

Result<void> Builder::start_container(const Stage& stage, RunJob& job, StepRoot& root) {
  const std::string bundle = root.scratch() + "/bundle";
  TRY(root.attach());
  const UniqueFd dir = TRY(open_directory(bundle));
  TRY(write_container_files(dir, job.bundle));
  const ImageConfig config = TRY(parse_image_config("configuration", stage.image.config.json()));
  const ResolvedUser user = TRY(resolve_user(root.root(), config.user));
  const std::string text = TRY(runtime_config(config, job.bundle, bundle, user));
  TRY(write_file_at(dir, "config.json", text, 0600));
  const UniqueFd null = TRY(open_at(kCwd, "/dev/null", O_RDONLY));
  const std::string id = "layers-build-" + std::to_string(::getpid());
  Command command{.argv = {sibling_program("runc-like"), "--root", root.scratch() + "/state", "run",
                           "--bundle", bundle, id}};
  command.in = null.get();
  command.out = STDERR_FILENO;  // standard output is for the result
  ChildProcess child = TRY(::start(command));
  const int status = TRY(child.wait());
  if (status != 0) return Error{"the command ended with status " + std::to_string(status)};
  return {};
}

Result<void> Builder::run_command(Stage& stage, const Instruction& instruction) {
  RunJob job;
  job.network = options_->network;
  std::string text = instruction.text;
  const Lookup lookup = TRY(stage.lookup());
  for (const Flag& flag : take_flags(text)) {
    const std::string value = TRY(expand_word(flag.value, lookup, stage.escape));
    if (flag.name == "mount")
      TRY(add_mount(stage, value, job));
    else if (flag.name == "network")
      job.network = value == "default" ? options_->network : value;
    else
      return Error{"unknown option --" + flag.name};
  }
  if (job.network != "host" && job.network != "none")
    return Error{"--network=" + job.network + ": expected default, host or none"};
  std::string script;
  const auto json = json_words(text);
  if (json && !json->empty()) {
    job.argv = *json;
  } else {
    // A here-document alone is the script; with a command it is its input.
    const bool alone = instruction.heredocs.size() == 1 && text.starts_with("<<") &&
                       raw_words(text, stage.escape).size() == 1;
    script = alone ? instruction.heredocs[0].text : text;
    if (!alone)
      for (const Heredoc& doc : instruction.heredocs) script += "\n" + doc.text + doc.name;
    job.argv = stage.shell;
    job.argv.push_back(script);
    if (alone && script.starts_with("#!")) job.argv = {kScript};
  }
  const auto arguments = TRY(stage.arguments());
  for (const std::string& word : job.argv) job.inputs += word + '\0';
  for (const std::string& argument : arguments) job.inputs += argument + '\n';
  job.inputs += job.network;
  job.bundle.name = job.bundle.hostname = "build";
  job.bundle.network = job.network;
  job.bundle.entrypoint = std::vector<std::string>();
  job.bundle.args = job.argv;
  job.bundle.env = arguments;
  for (const std::string_view proxy : kProxies)
    if (const auto value = argument(std::string(proxy)))
      job.bundle.env.push_back(std::string(proxy) + "=" + *value);
  for (const std::string_view proxy : kProxies) used_args_.insert(std::string(proxy));
  const bool shebang = job.argv.size() == 1 && job.argv[0] == kScript;
  if (shebang) job.inputs += script;
  return layer_step(
      stage, instruction, job.inputs, [&](StepRoot& root) -> Result<std::set<std::string>> {
        if (shebang) {
          const std::string file = root.scratch() + "/script";
          TRY(write_file_at(kCwd, file, script, 0755));
          job.bundle.mounts.push_back({"bind", file, kScript, {"bind", "rprivate", "ro"}});
        }
        TRY(prepare_mounts(job, root));
        TRY(start_container(stage, job, root));
        std::set<std::string> mounted = standard_mount_points();
        for (const ExtraMount& mount : job.bundle.mounts)
          mounted.insert(clean_path(mount.destination));
        return mounted;
      });
}
