// SPDX-License-Identifier: Apache-2.0
// User namespaces from outside: their maps.
#include <sched.h>
#include <sys/syscall.h>

#include <csignal>

#include "clone.h"
#include "spawn.h"

namespace {

std::string map_text(const std::vector<Mapping>& maps) {
  std::string out;
  for (const Mapping& map : maps)
    out += std::to_string(map.container) + " " + std::to_string(map.host) + " " +
           std::to_string(map.size) + "\n";
  return out;
}

// The set-user-id helpers know what /etc/subuid grants this user.
Result<void> run_helper(const std::string& program, pid_t pid, const std::vector<Mapping>& maps) {
  Command command;
  command.argv = {program, std::to_string(pid)};
  for (const Mapping& map : maps) {
    command.argv.push_back(std::to_string(map.container));
    command.argv.push_back(std::to_string(map.host));
    command.argv.push_back(std::to_string(map.size));
  }
  const Output output = TRY(run(command));
  if (output.status == 0) return {};
  return Error{program + ": " + output.err.substr(0, output.err.find('\n')), EPERM,
               "see /etc/subuid and /etc/subgid"};
}

bool only_ours(const std::vector<Mapping>& maps, unsigned id) {
  return maps.size() == 1 && maps[0].size == 1 && maps[0].host == id;
}

int stand_still(void*) {
  for (;;) ::pause();
}

}  // namespace

Result<void> write_id_maps(pid_t pid, const std::vector<Mapping>& uids,
                           const std::vector<Mapping>& gids) {
  const UniqueFd proc = TRY(open_directory("/proc/" + std::to_string(pid)));
  const auto write = [&](const char* file, const std::string& text) {
    return write_file_at(proc, file, text);
  };
  const bool root = ::geteuid() == 0;
  if (root || only_ours(gids, ::getegid())) {
    // Without power over groups, a map needs them forbidden first.
    if (!root) TRY(write("setgroups", "deny"));
    TRY(write("gid_map", map_text(gids)));
  } else {
    TRY(run_helper("newgidmap", pid, gids));
  }
  if (root || only_ours(uids, ::geteuid())) return write("uid_map", map_text(uids));
  return run_helper("newuidmap", pid, uids);
}

Result<UniqueFd> user_namespace_with(const std::vector<Mapping>& uids,
                                     const std::vector<Mapping>& gids) {
  CloneRequest request;
  request.flags = CLONE_NEWUSER;
  const ChildProcess holder = TRY(clone_child(request, stand_still, nullptr));
  TRY(write_id_maps(holder.pid(), uids, gids));
  return open_at(kCwd, "/proc/" + std::to_string(holder.pid()) + "/ns/user", O_RDONLY);
}
