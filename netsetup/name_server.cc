// SPDX-License-Identifier: Apache-2.0
#include "name_server.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/child_process.h"
#include "common/cli.h"
#include "common/file_lock.h"

namespace {

constexpr std::string_view kInternal = "%int";

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ",").append(text);
  return out;
}

std::string addresses_of(const Member& member, int family) {
  std::vector<std::string> out;
  for (const MemberAddress& one : member.addresses)
    if (one.address.address.family == family) out.push_back(one.address.address.text());
  return joined(out);
}

std::string first_line(const Member& member, const std::vector<std::string>& forwarders) {
  std::vector<std::string> gateways;
  for (const MemberAddress& one : member.addresses)
    if (one.gateway) gateways.push_back(one.gateway->text());
  return joined(gateways) + (forwarders.empty() ? "" : " " + joined(forwarders)) + "\n";
}

// The process of the file aardvark.pid, if it is still what it was.
std::optional<pid_t> running_server(FdRef directory) {
  const auto text = read_file_at(directory, "aardvark.pid", 32);
  if (!text) return std::nullopt;
  const auto pid = parse_integer(text->substr(0, text->find('\n')));
  if (!pid || *pid < 2) return std::nullopt;
  const auto name = read_file("/proc/" + std::to_string(*pid) + "/comm", 64);
  if (!name || *name != "aardvark-dns\n") return std::nullopt;
  return static_cast<pid_t>(*pid);
}

// The server must hold none of our descriptors: the engine waits for their end.
Result<int> run_quietly(Command command) {
  const UniqueFd null = TRY(open_at(kCwd, "/dev/null", O_RDWR));
  command.in = command.out = command.err = null.get();
  ChildProcess child = TRY(start(command));
  return child.wait();
}

// In a scope of its own where systemd is: it outlives the service that started the
// first container.
Result<int> start_server(const NameServer& server) {
  Command command{{server.program, "--config", server.directory, "-p", "53", "run"}};
  if (::access("/run/systemd/system", F_OK) == 0) {
    Command scope = command;
    scope.argv.insert(scope.argv.begin(), {"systemd-run", "-q", "--scope"});
    const auto started = run_quietly(scope);
    if (started && *started == 0) return 0;
  }
  return run_quietly(command);
}

Result<void> wake(FdRef directory, const NameServer* server) {
  const auto pid = running_server(directory);
  if (pid && ::kill(*pid, SIGHUP) == 0) return {};
  if (server == nullptr) return {};
  const int status = TRY(start_server(*server));
  if (status == 0) return {};
  return Error{"'" + server->program + "' ended with status " + std::to_string(status), 0,
               "it answers on port 53 of the network's gateway: see what else does (ss -lnup)"};
}

// Fits between the spaces and commas of a line.
bool is_plain(const std::string& name) {
  return !name.empty() && name.find_first_of(" ,\n\r\t") == std::string::npos;
}

struct Directory {
  UniqueFd fd;
  FileLock lock;
};

// The server takes every file in there for a network, but for its own.
Result<Directory> open_locked(const std::string& path) {
  UniqueFd fd = TRY(open_directory(path));
  FileLock lock = TRY(FileLock::take(fd, "../aardvark.lock"));
  return Directory{std::move(fd), std::move(lock)};
}

// The file without the lines that start with `start`, after its first line, which
// becomes `head` unless that is empty. Nothing is left of a file without members.
Result<void> rewrite(FdRef directory, const std::string& name, const std::string& start,
                     const std::string& head, const std::string& added) {
  auto text = read_file_at(directory, name);
  if (!text && text.error().code == ENOENT) {
    if (added.empty()) return {};
    return replace_file_at(directory, name, head + added, 0644);
  }
  const std::string old = TRY(std::move(text));
  const std::size_t body = std::min(old.find('\n'), old.size() - 1) + 1;
  std::string members;
  for (std::size_t at = body; at < old.size();) {
    const std::size_t end = std::min(old.find('\n', at), old.size() - 1) + 1;
    const std::string line = old.substr(at, end - at);
    if (start.empty() || !line.starts_with(start)) members += line;
    at = end;
  }
  members += added;
  if (!members.empty())
    return replace_file_at(directory, name, (head.empty() ? old.substr(0, body) : head) + members,
                           0644);
  if (::unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return errno_error("remove", name);
}

}  // namespace

std::string find_name_server() {
  for (const char* path : {"/usr/libexec/podman/aardvark-dns", "/usr/lib/podman/aardvark-dns",
                           "/usr/local/libexec/podman/aardvark-dns", "/usr/bin/aardvark-dns"})
    if (::access(path, X_OK) == 0) return path;
  return {};
}

std::string name_line(const Member& member, const std::vector<std::string>& forwarders) {
  std::vector<std::string> names;
  for (const std::string& name : member.server_names)
    if (is_plain(name)) names.push_back(name);
  if (names.empty()) return {};
  return member.id + " " + addresses_of(member, AF_INET) + " " + addresses_of(member, AF_INET6) +
         " " + joined(names) + (forwarders.empty() ? "" : " " + joined(forwarders)) + "\n";
}

Result<void> announce(const NameServer& server, const Member& member) {
  const std::string line = name_line(member, server.member_forwarders);
  if (line.empty()) return {};
  TRY(make_directories(server.directory, 0700));
  const Directory directory = TRY(open_locked(server.directory));
  const std::string name = member.network + std::string(server.internal ? kInternal : "");
  TRY(rewrite(directory.fd, name, member.id + " ", first_line(member, server.forwarders), line));
  return wake(directory.fd, &server);
}

Result<void> withdraw(const Member& member) {
  if (member.server_directory.empty()) return {};
  const auto directory = open_locked(member.server_directory);
  if (!directory) return {};  // gone, and the names with it
  for (const std::string_view suffix : {std::string_view(), kInternal})
    TRY(rewrite(directory->fd, member.network + std::string(suffix), member.id + " ", "", ""));
  return wake(directory->fd, nullptr);
}

Result<void> set_forwarders(const std::string& directory, const std::string& network,
                            const std::vector<std::string>& forwarders) {
  const Directory opened = TRY(open_locked(directory));
  for (const std::string_view suffix : {std::string_view(), kInternal}) {
    const std::string name = network + std::string(suffix);
    const auto text = read_file_at(opened.fd, name);
    if (!text) continue;
    const std::string gateways = text->substr(0, text->find_first_of(" \n"));
    TRY(rewrite(opened.fd, name, "",
                gateways + (forwarders.empty() ? "" : " " + joined(forwarders)) + "\n", ""));
  }
  return wake(opened.fd, nullptr);
}
