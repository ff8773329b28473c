// SPDX-License-Identifier: Apache-2.0
// The document as a whole: root, hooks, annotations; the rest is in spec_*.cc.
#include "spec.h"

#include <sched.h>

#include <charconv>

#include "common/json.h"

#include "spec_read.h"
#include "table_names.h"

const NamespaceSpec* Spec::find_namespace(std::uint64_t flag) const {
  for (const NamespaceSpec& ns : namespaces)
    if (ns.flag == flag) return &ns;
  return nullptr;
}

bool Spec::has_new(std::uint64_t flag) const {
  const NamespaceSpec* ns = find_namespace(flag);
  return ns != nullptr && ns->path.empty();
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.push_back(part);
    else if (!parts.empty())
      parts.pop_back();
  }
  std::string out;
  for (const std::string_view part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

namespace {

struct HookName {
  std::string_view name;
  HookKind kind;
};
constexpr auto kHookNames = std::to_array<HookName>({
    {"createContainer", HookKind::CreateContainer},
    {"createRuntime", HookKind::CreateRuntime},
    {"poststart", HookKind::Poststart},
    {"poststop", HookKind::Poststop},
    {"prestart", HookKind::Prestart},
    {"startContainer", HookKind::StartContainer},
});
static_assert(sorted_by_name(kHookNames));

Result<HookSpec> read_hook(const JsonView& view) {
  HookSpec hook;
  const JsonView path = TRY(view.at("path"));
  hook.path = TRY(path.string());
  if (!hook.path.starts_with('/')) return path.error("must be an absolute path");
  TRY(read_optional(view, "args", hook.args));
  TRY(read_optional(view, "env", hook.env));
  if (const auto timeout = view.find("timeout")) {
    const std::int64_t seconds = TRY(timeout->integer());
    if (seconds <= 0 || seconds > INT32_MAX) return timeout->error("must be greater than zero");
    hook.timeout = static_cast<unsigned>(seconds);
  }
  hook.field = view.pointer();
  return hook;
}

Result<void> read_hooks(const JsonView& view, Spec& spec) {
  for (const auto& [name, list] : TRY(view.members())) {
    const HookName* row = find_row(kHookNames, name);
    if (row == nullptr) {
      spec.warnings.push_back(list.error("unknown hook" + did_you_mean(kHookNames, name)).what);
      continue;
    }
    for (const JsonView& item : TRY(list.items()))
      spec.hooks[row->kind].push_back(TRY(read_hook(item)));
  }
  return {};
}

Result<void> read_root(const JsonView& view, Spec& spec) {
  const JsonView path = TRY(view.at("path"));
  spec.root = TRY(path.string());
  if (spec.root.empty()) return path.error("must not be empty");
  return read_optional(view, "readonly", spec.root_readonly);
}

Result<void> check_version(const JsonView& root, Spec& spec) {
  const JsonView version = TRY(root.at("ociVersion"));
  spec.oci_version = TRY(version.string());
  if (!spec.oci_version.starts_with("1."))
    return version.error("version '" + spec.oci_version + "' is not supported; 1.0.0 to 1.3.x are");
  return {};
}

}  // namespace

Result<Spec> parse_spec(const std::string& name, std::string_view text, const KnownFilter& known) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  const JsonView root = document.root();
  if (!root.is_object()) return root.error("expected an object");
  Spec spec;
  TRY(check_version(root, spec));
  const JsonView place = TRY(root.at("root"));
  TRY(read_root(place, spec));
  if (const auto process = root.find("process"))
    spec.process = TRY(read_process(*process, spec.warnings));
  TRY(read_optional(root, "hostname", spec.hostname));
  TRY(read_optional(root, "domainname", spec.domainname));
  if (const auto mounts = root.find("mounts")) TRY(read_mounts(*mounts, spec));
  if (const auto hooks = root.find("hooks")) TRY(read_hooks(*hooks, spec));
  if (const auto annotations = root.find("annotations"))
    for (const auto& [key, value] : TRY(annotations->members()))
      spec.annotations[key] = TRY(value.string());
  if (const auto view = root.find("linux")) TRY(read_linux(*view, spec, known));
  TRY(check_together(root, spec));
  return spec;
}

Result<UserWord> parse_user_word(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto number = [](std::string_view digits) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [at, failed] = std::from_chars(digits.data(), end, value);
    // 2^32 - 1 means "no user" to the kernel.
    if (failed != std::errc() || at != end || digits.empty() || value == UINT32_MAX)
      return std::nullopt;
    return value;
  };
  const auto uid = number(text.substr(0, colon));
  UserWord word;
  if (colon != std::string_view::npos) word.gid = number(text.substr(colon + 1));
  if (!uid || (colon != std::string_view::npos && !word.gid))
    return Error{"user '" + std::string(text) + "': expected UID or UID:GID, in digits"};
  word.uid = *uid;
  return word;
}
