// SPDX-License-Identifier: Apache-2.0
// seccomp_judge.cc - what an existing profile would do with a call.
#include <algorithm>

#include "seccomp_profile.h"

namespace {

using Texts = std::vector<std::string>;

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#elif defined(__riscv)
constexpr std::string_view kArchitecture = "riscv64";
#elif defined(__powerpc64__)
constexpr std::string_view kArchitecture = "ppc64le";
#elif defined(__s390x__)
constexpr std::string_view kArchitecture = "s390x";
#else
constexpr std::string_view kArchitecture = "";
#endif

bool has(const Texts& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

Result<Texts> texts_at(const std::optional<JsonView>& object, std::string_view key) {
  const auto member = object ? object->find(key) : std::nullopt;
  if (!member) return Texts();
  return member->strings();
}

// docker's "includes" and "excludes".
Result<bool> counts_here(const JsonView& rule, const Texts& capabilities) {
  const auto includes = rule.find("includes");
  const auto excludes = rule.find("excludes");
  const Texts wanted = TRY(texts_at(includes, "caps"));
  const Texts unwanted = TRY(texts_at(excludes, "caps"));
  const Texts here = TRY(texts_at(includes, "arches"));
  const Texts elsewhere = TRY(texts_at(excludes, "arches"));
  return std::ranges::all_of(wanted, [&](const auto& one) { return has(capabilities, one); }) &&
         std::ranges::none_of(unwanted, [&](const auto& one) { return has(capabilities, one); }) &&
         (here.empty() || has(here, kArchitecture)) && !has(elsewhere, kArchitecture);
}

Result<std::uint64_t> number_at(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  if (!member) return std::uint64_t{0};
  return member->unsigned_integer();
}

Result<ProfileRule::Condition> parse_condition(const JsonView& view) {
  ProfileRule::Condition out;
  const JsonView index = TRY(view.at("index"));
  const std::uint64_t number = TRY(index.unsigned_integer());
  if (number > 5) return index.error("a system call has six arguments, 0 to 5");
  out.index = static_cast<unsigned>(number);
  out.value = TRY(number_at(view, "value"));
  out.value_two = TRY(number_at(view, "valueTwo"));
  const JsonView op = TRY(view.at("op"));
  out.op = TRY(op.string());
  return out;
}

bool lets_through(std::string_view action) {
  return action == "SCMP_ACT_ALLOW" || action == "SCMP_ACT_LOG";
}

}  // namespace

bool ProfileRule::Condition::holds(const CallArguments& arguments) const {
  const std::uint64_t argument = arguments[index];
  if (op == "SCMP_CMP_EQ") return argument == value;
  if (op == "SCMP_CMP_NE") return argument != value;
  if (op == "SCMP_CMP_LT") return argument < value;
  if (op == "SCMP_CMP_LE") return argument <= value;
  if (op == "SCMP_CMP_GT") return argument > value;
  if (op == "SCMP_CMP_GE") return argument >= value;
  return op == "SCMP_CMP_MASKED_EQ" && (argument & value) == value_two;
}

Result<Profile> Profile::parse(const std::string& name, std::string_view text,
                               const std::vector<std::string>& capabilities) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  const JsonView root = document.root();
  Profile out;
  const JsonView action = TRY(root.at("defaultAction"));
  out.default_action_ = TRY(action.string());
  const auto rules = root.find("syscalls");
  if (!rules) return out;
  for (const JsonView& view : TRY(rules->items())) {
    if (!TRY(counts_here(view, capabilities))) continue;
    ProfileRule rule;
    const JsonView what = TRY(view.at("action"));
    rule.action = TRY(what.string());
    if (const auto args = view.find("args"))
      for (const JsonView& one : TRY(args->items()))
        rule.conditions.push_back(TRY(parse_condition(one)));
    const JsonView names = TRY(view.at("names"));
    for (const std::string& call : TRY(names.strings())) out.rules_[call].push_back(rule);
  }
  return out;
}

bool Profile::allows(const std::string& call, const CallArguments& arguments) const {
  const auto rules = rules_.find(call);
  if (rules == rules_.end()) return lets_through(default_action_);
  bool matched = false;
  for (const ProfileRule& rule : rules->second) {
    if (!std::ranges::all_of(rule.conditions, [&](const ProfileRule::Condition& condition) {
          return condition.holds(arguments);
        }))
      continue;
    if (!lets_through(rule.action)) return false;
    matched = true;
  }
  return matched || lets_through(default_action_);
}

std::vector<std::string> denied_by(const Profile& profile, const Learnt& learnt) {
  std::vector<std::string> out;
  for (const auto& [name, call] : learnt.calls) {
    const auto kept = kept_argument(name);
    bool allowed = true;
    if (call.any_value || !kept) allowed = profile.allows(name, {});
    for (const std::uint64_t value : call.values) {
      CallArguments arguments = {};
      arguments[kept->index] = value;
      allowed = allowed && profile.allows(name, arguments);
    }
    if (!allowed) out.push_back(name);
  }
  return out;
}
