// SPDX-License-Identifier: Apache-2.0
#include "credentials.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "common/child_process.h"
#include "common/file_lock.h"
#include "common/json.h"

namespace {

constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";
constexpr auto kHelperTime = std::chrono::seconds(60);

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value != nullptr ? value : "";
}

// "https://host/v1/" and "host" are the same entry; older files write the former.
std::string normalised(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  for (const std::string_view version : {"/v1/", "/v2/", "/v1", "/v2", "/"})
    if (key.ends_with(version)) {
      key.remove_suffix(version.size());
      break;
    }
  std::string out(key);
  for (const std::string_view alias : {"index.docker.io", "registry-1.docker.io"})
    if (out == alias || out.starts_with(std::string(alias) + "/"))
      out.replace(0, alias.size(), "docker.io");
  return out;
}

// host/a/b, host/a, host
std::vector<std::string> keys_for(const RegistryReference& reference) {
  std::vector<std::string> out;
  std::string key = reference.host;
  if (!reference.repository.empty()) key.append("/").append(reference.repository);
  for (;;) {
    out.push_back(key);
    if (key.size() == reference.host.size()) return out;
    key.resize(key.rfind('/'));
  }
}

Result<Output> run_helper(const std::string& helper, const char* verb, std::string input) {
  const std::string program = "docker-credential-" + helper;
  if (helper.empty() || helper.find('/') != std::string::npos)
    return Error{"credential helper '" + helper + "': not a name"};
  auto output = run({.argv = {program, verb}}, {.input = std::move(input), .timeout = kHelperTime});
  if (!output) return std::move(output).error().in("credential helper");
  return output;
}

Result<std::optional<Credentials>> ask_helper(const std::string& helper, const std::string& host) {
  const std::string server = host == "docker.io" ? std::string(kDockerHubKey) : host;
  const Output output = TRY(run_helper(helper, "get", server));
  const std::string name = "docker-credential-" + helper;
  if (output.status != 0) {
    if (output.out.find("credentials not found") != std::string::npos)
      return std::optional<Credentials>();
    return Error{name + " get: exit status " + std::to_string(output.status)};
  }
  const JsonDocument document = TRY(JsonDocument::parse(name, output.out));
  const JsonView user = TRY(document.root().at("Username"));
  const JsonView secret = TRY(document.root().at("Secret"));
  Credentials found;
  found.username = TRY(user.string());
  (found.username == "<token>" ? found.identity_token : found.password) = TRY(secret.string());
  return std::optional(std::move(found));
}

Result<std::string> text_of(const JsonView& entry, std::string_view key) {
  const auto member = entry.find(key);
  return member ? member->string() : Result<std::string>(std::string());
}

Result<std::optional<Credentials>> read_entry(const JsonView& entry) {
  Credentials out;
  out.identity_token = TRY(text_of(entry, "identitytoken"));
  out.registry_token = TRY(text_of(entry, "registrytoken"));
  out.username = TRY(text_of(entry, "username"));
  out.password = TRY(text_of(entry, "password"));
  const std::string encoded = TRY(text_of(entry, "auth"));
  if (!encoded.empty()) {
    const auto both = base64_decode(encoded);
    const auto colon = both ? both->find(':') : std::string::npos;
    if (colon == std::string::npos) return entry.error("auth: expected base64 of USER:PASSWORD");
    out.username = both->substr(0, colon);
    out.password = both->substr(colon + 1);
    // Old versions of docker end it with NULs.
    out.password.erase(std::min(out.password.find('\0'), out.password.size()));
  }
  if (out.username.empty() && out.identity_token.empty() && out.registry_token.empty())
    return std::optional<Credentials>();
  return std::optional(std::move(out));
}

Result<std::optional<std::string>> helper_of(const JsonView& root, const std::string& key) {
  if (const auto helpers = root.find("credHelpers"))
    if (const auto helper = helpers->find(key)) return std::optional(TRY(helper->string()));
  return std::optional<std::string>();
}

Result<std::optional<Credentials>> find_in(const JsonView& root,
                                           const RegistryReference& reference) {
  const std::vector<std::string> keys = keys_for(reference);
  for (const std::string& key : keys)
    if (const auto helper = TRY(helper_of(root, key))) return ask_helper(*helper, key);
  if (const auto entries = root.find("auths")) {
    const auto members = TRY(entries->members());
    for (const std::string& key : keys)
      for (const auto& [name, entry] : members) {
        if (normalised(name) != key) continue;
        auto found = TRY(read_entry(entry));
        if (found) return found;  // with a credsStore, docker leaves an empty entry
      }
  }
  if (const auto store = root.find("credsStore"))
    return ask_helper(TRY(store->string()), reference.host);
  return std::optional<Credentials>();
}

// The file as JSON; "{}" when it is not there.
Result<JsonDocument> read_document(const std::string& file) {
  auto text = read_file(file);
  if (!text && text.error().code != ENOENT) return std::move(text).error();
  return JsonDocument::parse(file, text && !text->empty() ? *text : "{}");
}

// The document again, with `entries` in the place of auths. Secrets: mode 0600.
Result<void> write_document(const std::string& file, const JsonView& root,
                            const std::vector<std::pair<std::string, std::string>>& entries) {
  JsonWriter out(JsonWriter::Style::Tabs);
  out.begin_object().key("auths").begin_object();
  for (const auto& [name, entry] : entries) out.key(name).raw(entry);
  out.end_object();
  for (const auto& [name, value] : TRY(root.members()))
    if (name != "auths") out.key(name).raw(value.json());
  return replace_file(file, out.end_object().take() + "\n", 0600, Sync::Yes);
}

Result<std::vector<std::pair<std::string, std::string>>> entries_without(const JsonView& root,
                                                                         const std::string& key,
                                                                         bool& found) {
  std::vector<std::pair<std::string, std::string>> out;
  found = false;
  const auto entries = root.find("auths");
  if (!entries) return out;
  for (const auto& [name, entry] : TRY(entries->members())) {
    if (normalised(name) == key)
      found = true;
    else
      out.emplace_back(name, entry.json());
  }
  return out;
}

Result<std::optional<std::string>> keeper_of(const JsonView& root, const std::string& key) {
  if (auto helper = TRY(helper_of(root, key))) return helper;
  if (const auto store = root.find("credsStore")) return std::optional(TRY(store->string()));
  return std::optional<std::string>();
}

std::string directory_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash + 1);
}

}  // namespace

std::string login_file(const std::optional<std::string>& file) {
  if (file) return *file;
  if (std::string chosen = environment("REGISTRY_AUTH_FILE"); !chosen.empty()) return chosen;
  std::string base = environment("XDG_RUNTIME_DIR");
  if (base.empty())
    base = "/run/containers/" + std::to_string(::geteuid());
  else
    base += "/containers";
  return base + "/auth.json";
}

std::vector<std::string> authentication_files(const std::optional<std::string>& file) {
  if (file || !environment("REGISTRY_AUTH_FILE").empty()) return {login_file(file)};
  const std::string home = environment("HOME");
  std::string config = environment("XDG_CONFIG_HOME");
  if (config.empty()) config = home + "/.config";
  std::string docker = environment("DOCKER_CONFIG");
  if (docker.empty()) docker = home + "/.docker";
  return {login_file(file), config + "/containers/auth.json", docker + "/config.json"};
}

Result<std::optional<Credentials>> find_credentials(const RegistryReference& reference,
                                                    const std::optional<std::string>& file) {
  if (file && ::access(file->c_str(), R_OK) != 0) return errno_error("open", *file);
  for (const std::string& path : authentication_files(file)) {
    const JsonDocument document = TRY(read_document(path));
    auto found = find_in(document.root(), reference);
    if (!found) return std::move(found).error().in("credentials for " + reference.host);
    if (*found) return found;
  }
  return std::optional<Credentials>();
}

Result<void> save_credentials(const std::string& file, const std::string& key,
                              const Credentials& credentials) {
  TRY(make_directories(directory_of(file), 0700));
  const FileLock lock = TRY(FileLock::take(kCwd, file + ".lock"));
  const JsonDocument document = TRY(read_document(file));
  bool replaced = false;
  auto entries = TRY(entries_without(document.root(), key, replaced));
  JsonWriter entry;
  entry.begin_object();
  if (const auto helper = TRY(keeper_of(document.root(), key))) {
    JsonWriter input;
    input.begin_object().member("ServerURL", key == "docker.io" ? std::string(kDockerHubKey) : key);
    input.member("Username", credentials.username).member("Secret", credentials.password);
    const Output output = TRY(run_helper(*helper, "store", input.end_object().take()));
    if (output.status != 0)
      return Error{"docker-credential-" + *helper + " store: exit status " +
                   std::to_string(output.status)};
  } else {
    entry.member("auth", base64_encode(credentials.username + ":" + credentials.password));
  }
  const bool hub = key == "docker.io" && file.ends_with("config.json");
  entries.emplace_back(hub ? std::string(kDockerHubKey) : key, entry.end_object().take());
  return write_document(file, document.root(), entries);
}

Result<bool> remove_credentials(const std::string& file, const std::string& key) {
  if (::access(file.c_str(), F_OK) != 0) return false;
  const FileLock lock = TRY(FileLock::take(kCwd, file + ".lock"));
  const JsonDocument document = TRY(read_document(file));
  bool found = false;
  const auto entries = TRY(entries_without(document.root(), key, found));
  if (!found) return false;
  if (const auto helper = TRY(keeper_of(document.root(), key)))
    (void)TRY(run_helper(*helper, "erase", key == "docker.io" ? std::string(kDockerHubKey) : key));
  TRY(write_document(file, document.root(), entries));
  return true;
}

Result<std::vector<std::string>> saved_registries(const std::string& file) {
  std::vector<std::string> out;
  const JsonDocument document = TRY(read_document(file));
  if (const auto entries = document.root().find("auths"))
    for (const auto& [name, entry] : TRY(entries->members())) out.push_back(normalised(name));
  return out;
}
