// SPDX-License-Identifier: Apache-2.0
// seccomp_profile.cc - learning, and the profile that comes of it.
#include "seccomp_profile.h"

#include <algorithm>

namespace {

constexpr std::uint64_t kInt = 0xffffffff;
// CLONE_NEW*: whether a new namespace is asked for is what matters of the flags.
constexpr std::uint64_t kNamespaces = 0x7e020080;
constexpr std::size_t kMostValues = 24;

constexpr auto kKept = std::to_array<KeptArgument>({
    {"clone", 0, kNamespaces},
    {"ioctl", 1, kInt},
    {"keyctl", 0, kInt},
    {"personality", 0, kInt},
    {"prctl", 0, kInt},
    {"socket", 0, kInt},
    {"socketpair", 0, kInt},
    {"unshare", 0, kInt},
});

}  // namespace

std::optional<KeptArgument> kept_argument(std::string_view call) {
  const auto it = std::ranges::find(kKept, call, &KeptArgument::call);
  if (it == kKept.end()) return std::nullopt;
  return *it;
}

bool Learnt::add(const std::string& architecture, const std::string& call,
                 const CallArguments& arguments) {
  Learnt one;
  one.architectures.insert(architecture);
  LearntCall& entry = one.calls[call];
  const auto kept = kept_argument(call);
  if (kept)
    entry.values.insert(arguments[kept->index] & kept->mask);
  else
    entry.any_value = true;
  return merge(one);
}

bool Learnt::merge(const Learnt& other) {
  bool news = false;
  for (const std::string& architecture : other.architectures)
    news = architectures.insert(architecture).second || news;
  for (const auto& [name, call] : other.calls) {
    const auto [it, fresh] = calls.try_emplace(name, call);
    news = news || fresh;
    LearntCall& mine = it->second;
    if (mine.any_value) continue;
    for (const std::uint64_t value : call.values) news = mine.values.insert(value).second || news;
    if (!call.any_value && mine.values.size() <= kMostValues) continue;
    mine = {{}, true};
    news = true;
  }
  return news;
}

void add_unlearnable(Learnt& learnt) {
  for (const char* name : {"exit", "exit_group", "restart_syscall", "rt_sigreturn", "write"})
    learnt.calls[name].any_value = true;
}

namespace {

void write_condition(JsonWriter& w, const KeptArgument& kept, std::uint64_t value) {
  w.begin_object()
      .member("index", kept.index)
      .member("value", kept.mask)
      .member("valueTwo", value)
      .member("op", "SCMP_CMP_MASKED_EQ")
      .end_object();
}

void write_rules(JsonWriter& w, const Learnt& learnt) {
  w.key("syscalls").begin_array();
  w.begin_object().key("names").begin_array();
  for (const auto& [name, call] : learnt.calls)
    if (call.any_value) w.value(name);
  w.end_array().member("action", "SCMP_ACT_ALLOW").end_object();
  for (const auto& [name, call] : learnt.calls) {
    const auto kept = kept_argument(name);
    if (call.any_value || !kept) continue;
    for (const std::uint64_t value : call.values) {
      w.begin_object().member("names", std::vector<std::string>{name});
      w.member("action", "SCMP_ACT_ALLOW").key("args").begin_array();
      write_condition(w, *kept, value);
      w.end_array().end_object();
    }
  }
  w.end_array();
}

}  // namespace

std::string profile_json(const Learnt& learnt, ProfileForm form) {
  JsonWriter w(JsonWriter::Style::TwoSpaces);
  w.begin_object().member("defaultAction", "SCMP_ACT_ERRNO").member("defaultErrnoRet", 1);
  const std::vector<std::string> architectures(learnt.architectures.begin(),
                                               learnt.architectures.end());
  if (form == ProfileForm::Oci) {
    w.member("architectures", architectures);
  } else {
    w.key("archMap").begin_array();
    for (const std::string& one : architectures)
      w.begin_object()
          .member("architecture", one)
          .member("subArchitectures", std::vector<std::string>())
          .end_object();
    w.end_array();
  }
  write_rules(w, learnt);
  return w.end_object().take() + "\n";
}

Result<Learnt> parse_learnt(const std::string& name, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  Learnt out;
  if (const auto architectures = document.root().find("architectures"))
    for (const std::string& one : TRY(architectures->strings())) out.architectures.insert(one);
  const JsonView rules = TRY(document.root().at("syscalls"));
  for (const JsonView& rule : TRY(rules.items())) {
    const JsonView names = TRY(rule.at("names"));
    for (const std::string& call : TRY(names.strings())) {
      const auto args = rule.find("args");
      const auto conditions = args ? TRY(args->items()) : std::vector<JsonView>();
      LearntCall& entry = out.calls[call];
      if (conditions.empty()) entry.any_value = true;
      for (const JsonView& condition : conditions) {
        const JsonView value = TRY(condition.at("valueTwo"));
        entry.values.insert(TRY(value.unsigned_integer()));
      }
    }
  }
  return out;
}
