// SPDX-License-Identifier: Apache-2.0
#include "seen_container.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "common/beneath.h"
#include "common/json.h"

#include "process_info.h"

namespace {

// A member that may be missing: a shim that is just starting writes little.
std::string text_of(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  const auto text = member && member->is_string() ? member->string() : Result<std::string>("");
  return text ? *text : "";
}

std::int64_t number_of(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  if (!member || !member->is_number()) return 0;
  const auto number = member->integer();
  return number ? *number : 0;
}

std::string health_of(const SeenState& state) {
  const auto text = state.read("health");
  if (!text) return "";
  const auto document = JsonDocument::parse("health", *text);
  return document ? text_of(document->root(), "status") : "";
}

std::string status_of(const SeenState& state, const SeenContainer& container,
                      std::int64_t pid_start) {
  if (const auto exit = state.read("exit")) return "exited " + *exit;
  const auto start = start_of_process(container.pid);
  const bool runs = start && *start == static_cast<std::uint64_t>(pid_start);
  if (state.alive()) return runs ? "running" : "restarting";
  return runs ? "lost" : "unknown";
}

}  // namespace

Result<SeenContainer> describe_container(const SeenState& state, const std::string& id) {
  const std::string text = TRY(state.read("config"));
  const JsonDocument document = TRY(JsonDocument::parse("config", text));
  const JsonView root = document.root();
  SeenContainer container;
  container.id = id;
  container.bundle = text_of(root, "bundle");
  container.runtime = text_of(root, "runtime");
  if (const auto arguments = root.find("runtimeArgs"))
    container.runtime_args = TRY(arguments->strings());
  container.started = text_of(root, "started");
  container.pid = static_cast<pid_t>(number_of(root, "pid"));
  container.shim = static_cast<pid_t>(number_of(root, "shimPid"));
  container.restarts = static_cast<unsigned>(number_of(root, "restarts"));
  container.health = health_of(state);
  container.status = status_of(state, container, number_of(root, "pidStart"));
  return container;
}

std::vector<std::string> container_ids(const std::string& root) {
  std::vector<std::string> ids;
  DIR* const list = ::opendir(root.c_str());
  if (list == nullptr) return ids;
  while (const dirent* const entry = ::readdir(list))
    if (is_plain_name(entry->d_name)) ids.emplace_back(entry->d_name);
  ::closedir(list);
  std::ranges::sort(ids);
  return ids;
}

UniqueFd shim_of(const SeenState& state) {
  const auto container = describe_container(state, "");
  if (!container || container->shim <= 0) return UniqueFd();
  UniqueFd shim(static_cast<int>(::syscall(SYS_pidfd_open, container->shim, 0)));
  // Asked after the pidfd was opened, so the number is that of the living shim.
  return shim && state.alive() ? std::move(shim) : UniqueFd();
}
