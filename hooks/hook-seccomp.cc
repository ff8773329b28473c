// SPDX-License-Identifier: Apache-2.0
// hook-seccomp.cc - learns a seccomp profile from what a container does.
//
// `--prepare` changes config.json: every call that no earlier run has learnt is asked
// about, and this program becomes a createRuntime hook, which answers in the
// background until the container ends and then writes the profile. Calls that were
// learnt before are allowed by the filter itself: they cost nothing.
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>

#include "common/beneath.h"
#include "common/file_lock.h"

#include "background.h"
#include "bundle_config.h"
#include "hook_main.h"
#include "seccomp_calls.h"
#include "seccomp_learner.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"prepare", 0, Kind::Flag, "",
     "change config.json from standard input so that it is learnt from"},
    {"name", 0, Kind::Value, "NAME", "of the profile (default: what the annotation says)"},
    {"annotation", 0, Kind::Value, "KEY", "names the profile (default: container.seccomp.learn)"},
    {"profiles", 0, Kind::Value, "DIR", "where profiles go (default: /var/lib/hook-seccomp)"},
    {"audit", 0, Kind::Value, "PROFILE", "say what this one would have denied"},
    {"learnt", 0, Kind::Value, "PROFILE", "with --audit: of what is learnt already; no container"},
    {"state-dir", 0, Kind::Value, "DIR", "where sockets are (default: /run/hook-seccomp)"},
};

Result<Learnt> read_learnt(const std::string& path) {
  const auto text = read_file(path);
  if (!text && text.error().code == ENOENT) return Learnt();
  if (!text) return text.error();
  return parse_learnt(path, *text);
}

Result<std::string> own_path() {
  std::array<char, PATH_MAX> path = {};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (n <= 0) return errno_error("read", "/proc/self/exe");
  return std::string(path.data(), static_cast<std::size_t>(n));
}

Result<std::string> random_name() {
  std::array<unsigned char, 8> bytes = {};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return errno_error("read", "random bytes");
  std::string out;
  for (const unsigned char byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

// The filter for learning: asks about everything that is not known.
std::string asking_filter(const Learnt& known, const std::string& socket,
                          const std::string& profile) {
  JsonWriter w;
  w.begin_object().member("defaultAction", "SCMP_ACT_ALLOW");
  w.member("architectures", architectures_here());
  w.member("listenerPath", socket).member("listenerMetadata", profile);
  w.key("syscalls").begin_array().begin_object().key("names").begin_array();
  for (const std::string& call : all_calls()) {
    const auto it = known.calls.find(call);
    const bool learnt = it != known.calls.end() && it->second.any_value;
    if (call != "write" && !learnt) w.value(call);
  }
  w.end_array().member("action", "SCMP_ACT_NOTIFY").end_object().end_array();
  return w.end_object().take();
}

// Ours first among the hooks of its stage: the listener has to be there.
Result<std::string> with_own_hook(const JsonView& config, const Options& options) {
  const std::string program = TRY(own_path());
  std::vector<std::string> args = {"hook-seccomp", "--strict"};
  if (const auto audit = options.value("audit")) args.insert(args.end(), {"--audit", *audit});
  if (const auto dir = options.value("state-dir")) args.insert(args.end(), {"--state-dir", *dir});
  JsonWriter w;
  w.begin_array().begin_object().member("path", program).member("args", args).end_object();
  const auto hooks = config.find("hooks");
  if (const auto stage = hooks ? hooks->find("createRuntime") : std::nullopt)
    for (const JsonView& hook : TRY(stage->items())) w.raw(hook.json());
  return with_member(hooks, "createRuntime", w.end_array().take());
}

Result<std::string> prepare(const Options& options, const JsonView& config) {
  std::string name = options.value_or("name", "");
  const auto annotations = config.find("annotations");
  const std::string key = options.value_or("annotation", "container.seccomp.learn");
  if (const auto value = annotations ? annotations->find(key) : std::nullopt; value && name.empty())
    name = TRY(value->string());
  if (name.empty()) return config.json();
  if (!is_plain_name(name)) return Error{"'" + name + "' is no name of a profile"};
  const std::string profile =
      options.value_or("profiles", "/var/lib/hook-seccomp") + "/" + name + ".json";
  const Learnt known = TRY(read_learnt(profile));
  const std::string socket =
      options.value_or("state-dir", "/run/hook-seccomp") + "/" + TRY(random_name()) + ".sock";
  const std::string filter = asking_filter(known, socket, profile);
  const std::string part = with_member(config.find("linux"), "seccomp", filter);
  const std::string hooks = TRY(with_own_hook(config, options));
  const JsonDocument half =
      TRY(JsonDocument::parse("config.json", with_member(config, "linux", part)));
  return with_member(half.root(), "hooks", hooks);
}

std::vector<std::string> capabilities_of(const JsonView& config) {
  const auto process = config.find("process");
  const auto sets = process ? process->find("capabilities") : std::nullopt;
  const auto bounding = sets ? sets->find("bounding") : std::nullopt;
  const auto texts = bounding ? bounding->strings() : Result(std::vector<std::string>());
  return texts ? *texts : std::vector<std::string>();
}

Result<Profile> read_profile(const std::string& path,
                             const std::vector<std::string>& capabilities) {
  const std::string text = TRY(read_file(path));
  return Profile::parse(path, text, capabilities);
}

std::string report_json(const Lesson& lesson, bool audited) {
  JsonWriter w(JsonWriter::Style::TwoSpaces);
  w.begin_object().member("asked", lesson.asked);
  w.member("calls", std::uint64_t{lesson.learnt.calls.size()});
  if (audited) {
    w.key("denied").begin_object();
    for (const auto& [name, count] : lesson.denied) w.member(name, count);
    w.end_object();
  }
  return w.end_object().take() + "\n";
}

// NAME.json, NAME.docker.json and NAME.report.json, added to what earlier runs learnt.
Result<void> write_profile(const std::string& path, const Lesson& lesson, bool audited) {
  const std::string base = path.substr(0, path.size() - std::string_view(".json").size());
  const FileLock lock = TRY(FileLock::take(kCwd, base + ".lock"));
  Learnt all = TRY(read_learnt(path));
  (void)all.merge(lesson.learnt);
  add_unlearnable(all);
  TRY(replace_file(path, profile_json(all, ProfileForm::Oci)));
  TRY(replace_file(base + ".docker.json", profile_json(all, ProfileForm::Docker)));
  return replace_file(base + ".report.json", report_json(lesson, audited));
}

struct Assignment {
  std::string socket;
  std::string profile;
};
Result<Assignment> assignment_of(const JsonView& config) {
  const JsonView linux_part = TRY(config.at("linux"));
  const JsonView seccomp = TRY(linux_part.at("seccomp"));
  const JsonView path = TRY(seccomp.at("listenerPath"));
  const JsonView metadata = TRY(seccomp.at("listenerMetadata"));
  Assignment out;
  out.socket = TRY(path.string());
  out.profile = TRY(metadata.string());
  if (!out.profile.starts_with('/') || !out.profile.ends_with(".json"))
    return metadata.error("is no path of a profile; was the configuration prepared?");
  return out;
}

Result<int> learn_from(const Options& options) {
  const OciState state = TRY(read_oci_state(FdRef(STDIN_FILENO)));
  const JsonDocument config = TRY(read_bundle_config(state));
  const Assignment assignment = TRY(assignment_of(config.root()));
  std::optional<Profile> audited;
  if (const auto path = options.value("audit"))
    audited = TRY(read_profile(*path, capabilities_of(config.root())));
  TRY(make_directories(assignment.socket.substr(0, assignment.socket.rfind('/')), 0700));
  TRY(make_directories(assignment.profile.substr(0, assignment.profile.rfind('/'))));
  const UniqueFd listener = TRY(listen_for_runtime(assignment.socket));
  if (!TRY(go_to_background(listener.get()))) return 0;
  const auto lesson = learn(listener, state.pid, audited ? &*audited : nullptr);
  (void)::unlink(assignment.socket.c_str());
  if (lesson) (void)write_profile(assignment.profile, *lesson, audited.has_value());
  ::_exit(0);
}

Result<int> audit_learnt(const std::string& profile_path, const std::string& learnt_path) {
  const Profile profile = TRY(read_profile(profile_path, {}));
  const std::string text = TRY(read_file(learnt_path));
  const Learnt learnt = TRY(parse_learnt(learnt_path, text));
  const auto denied = denied_by(profile, learnt);
  for (const std::string& name : denied) std::printf("%s\n", name.c_str());
  return denied.empty() ? 0 : 1;
}

Result<int> run_seccomp(const ParsedWords& words) {
  const Options& options = words.options;
  const auto audit = options.value("audit");
  const auto learnt = options.value("learnt");
  if (learnt && audit) return audit_learnt(*audit, *learnt);
  if (learnt) return Error{"--learnt needs --audit"};
  if (!options.flag("prepare")) return learn_from(options);
  return filter_config(options.flag("strict"),
                       [&](const JsonView& config) { return prepare(options, config); });
}

constexpr Hook kHook = {"hook-seccomp", "<CONFIG >CONFIG, or <STATE",
                        "learn a seccomp profile from what a container does", kOptions,
                        run_seccomp};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
