// SPDX-License-Identifier: Apache-2.0
// hook-hosts.cc - an OCI hook: the names of a network's members in the hosts file of
// each of them, under engines that do not keep it themselves.
//
// createRuntime (behind netsetup's hook) adds a container, poststop takes it away. At
// poststart the same is done again for engines that write the file anew in between
// (podman 5, docker 26). The states of the containers that it serves stand in
// /run/hook-hosts.
#include <dirent.h>
#include <unistd.h>

#include <memory>

#include "common/beneath.h"
#include "common/file_lock.h"

#include "bundle_config.h"
#include "hook_main.h"
#include "name_files.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"add", 0, Kind::List, "NAME:ADDRESS", "one more line for this container"},
    {"netsetup-dir", 0, Kind::Value, "DIR", "netsetup's state (default: /run/netsetup)"},
    {"state-dir", 0, Kind::Value, "DIR", "who is served (default: /run/hook-hosts)"},
};
constexpr const char* kHosts = "/etc/hosts";

struct Served {
  OciState state;
  std::vector<std::string> extra;
};

Result<void> update_file(const Served& served, std::string_view lines) {
  const JsonDocument config = TRY(read_bundle_config(served.state));
  const ContainerFiles files = TRY(ContainerFiles::open(served.state, config.root()));
  const std::string text = TRY(files.read(kHosts)).value_or("");
  const std::string wanted = with_hosts_block(text, lines);
  if (wanted == text || (text.empty() && lines.empty())) return {};
  return files.write(kHosts, wanted);
}

Result<void> update(const Served& served, const std::vector<NetworkMember>& members) {
  const std::string lines = TRY(hosts_lines(peers_of(members, served.state.id), served.extra));
  return update_file(served, lines);
}

Result<Served> read_served(const std::string& path) {
  const std::string text = TRY(read_file(path, std::size_t{2} << 20));
  const JsonDocument document = TRY(JsonDocument::parse(path, text));
  Served out;
  const JsonView state = TRY(document.root().at("state"));
  out.state = TRY(parse_oci_state(path, state.json()));
  const JsonView extra = TRY(document.root().at("extra"));
  out.extra = TRY(extra.strings());
  return out;
}

Result<void> save_served(const std::string& path, const Served& served) {
  JsonWriter w;
  w.begin_object().key("state").raw(to_json(served.state)).member("extra", served.extra);
  return replace_file(path, w.end_object().take(), 0600);
}

// The others' files. One whose bundle is gone was killed together with its hooks, and
// is forgotten; whatever else fails for another container is not this one's failure.
void update_others(const std::string& directory, const std::string& id,
                   const std::vector<NetworkMember>& members) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (name.starts_with('.') || name == "lock" || name == id) continue;
    const std::string path = directory + "/" + name;
    const auto served = read_served(path);
    if (!served) continue;
    if (::access((served->state.bundle + "/config.json").c_str(), F_OK) != 0)
      (void)::unlink(path.c_str());
    else
      (void)update(*served, members);
  }
}

Result<int> serve(const ParsedWords& words) {
  const Options& options = words.options;
  const Served served = {TRY(read_oci_state(FdRef(STDIN_FILENO))), options.values("add")};
  if (!is_plain_name(served.state.id) || served.state.id == "lock")
    return Error{"'" + served.state.id + "' is no id of a container"}.at_field("/id");
  const std::string directory = options.value_or("state-dir", "/run/hook-hosts");
  TRY(make_directories(directory, 0700));
  const FileLock lock = TRY(FileLock::take(kCwd, directory + "/lock"));
  const auto members = TRY(read_members(options.value_or("netsetup-dir", "/run/netsetup")));
  const std::string path = directory + "/" + served.state.id;
  const bool stopped = served.state.status == "stopped";
  if (stopped)
    (void)::unlink(path.c_str());
  else
    TRY(save_served(path, served));
  const auto own = stopped ? Result<void>() : update(served, members);
  update_others(directory, served.state.id, members);
  // The root file system may be gone already, and its hosts file with it.
  if (stopped) (void)update_file(served, "");
  TRY(own);
  return 0;
}

constexpr Hook kHook = {"hook-hosts", "<STATE",
                        "keep the names of a network's members in their hosts files", kOptions,
                        serve};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
