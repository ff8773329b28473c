// SPDX-License-Identifier: Apache-2.0
#include "hook_main.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "common/fd.h"

namespace {

constexpr Option kShared[] = {
    {"strict", 0, Option::Kind::Flag, "", "a failure fails the container"},
    {"help", 'h', Option::Kind::Flag, "", "show this text"},
};

int fail(const Hook& hook, const std::string& text, int status) {
  std::fprintf(stderr, "%s: %s\n", std::string(hook.name).c_str(), text.c_str());
  return status;
}

int run_words(const Hook& hook, const std::vector<std::string>& words) {
  std::vector<Option> table(hook.options.begin(), hook.options.end());
  table.insert(table.end(), std::begin(kShared), std::end(kShared));
  const auto parsed = parse_words(table, words);
  if (!parsed) return fail(hook, parsed.error().text(), 2);
  if (parsed->options.flag("help")) {
    std::printf("usage: %s [OPTION]... %s\n\n%s\n\n%s", std::string(hook.name).c_str(),
                std::string(hook.synopsis).c_str(), std::string(hook.summary).c_str(),
                describe(table).c_str());
    return 0;
  }
  const auto status = hook.run(*parsed);
  if (status) return *status;
  return fail(hook, status.error().text(), parsed->options.flag("strict") ? 1 : 0);
}

}  // namespace

int run_hook(const Hook& hook, int argc, char** argv) try {
  (void)::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error, not our death
  return run_words(hook, std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
} catch (const std::exception& e) {
  return fail(hook, std::string("internal error: ") + e.what(), 125);
}

Result<int> filter_config(bool strict, const ConfigChange& change) {
  const std::string text = TRY(read_all(FdRef(STDIN_FILENO), "config.json"));
  const auto changed = [&]() -> Result<std::string> {
    const JsonDocument document = TRY(JsonDocument::parse("config.json", text));
    if (!document.root().is_object()) return document.root().error("expected an object");
    std::string out = TRY(change(document.root()));
    return out.empty() ? out : out + "\n";
  }();
  if (!changed && strict) return changed.error();
  TRY(write_all(FdRef(STDOUT_FILENO), changed ? *changed : text, "standard output"));
  if (!changed) return changed.error();
  return 0;
}

std::string with_member(const std::optional<JsonView>& object, std::string_view key,
                        std::string_view json) {
  if (object && object->is_object()) return with_member(*object, key, json);
  JsonWriter w;
  w.begin_object().key(key).raw(json).end_object();
  return w.take();
}

std::string with_member(const JsonView& object, std::string_view key, std::string_view json) {
  JsonWriter w;
  w.begin_object();
  bool found = false;
  if (const auto members = object.members())
    for (const auto& [name, value] : *members) {
      w.key(name).raw(name == key ? std::string(json) : value.json());
      found = found || name == key;
    }
  if (!found) w.key(key).raw(json);
  return w.end_object().take();
}
