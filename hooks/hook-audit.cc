// SPDX-License-Identifier: Apache-2.0
// hook-audit.cc - an OCI hook: what a container was allowed, as one line beside its
// events, with what a person should look at.
#include <cstdio>

#include "audit.h"
#include "background.h"
#include "bundle_config.h"
#include "event_target.h"
#include "hook_main.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"to", 0, Kind::Value, "TARGET", "as for hook-events (default: $RUNC_LIKE_EVENTS)"},
    {"bundle", 0, Kind::Value, "DIR", "look at this bundle instead of a container"},
    {"text", 0, Kind::Flag, "", "print the findings for a person instead"},
    {"state-dir", 0, Kind::Value, "DIR", "counters of hook-events (default: /run/hook-events)"},
};

Result<OciState> subject(const Options& options) {
  const auto bundle = options.value("bundle");
  if (!bundle) return read_oci_state(FdRef(STDIN_FILENO));
  OciState state;
  state.id = state.bundle = *bundle;
  return state;
}

Result<int> audit(const ParsedWords& words) {
  const Options& options = words.options;
  const OciState state = TRY(subject(options));
  const JsonDocument config = TRY(read_bundle_config(state));
  const Allowed allowed = TRY(read_allowed(config.root(), state.bundle));
  const std::vector<Finding> found = findings(allowed);
  if (options.flag("text")) {
    std::fputs(to_text(found).c_str(), stdout);
    return 0;
  }
  if (options.given("bundle") && !options.given("to")) {
    std::printf("%s\n", to_json(allowed, found, true).c_str());
    return 0;
  }
  Event event{"audit", state.id, "audit", state.pid};
  event.data = to_json(allowed, found, true);
  event.short_data = to_json(allowed, found, false);
  const std::string directory = options.value_or("state-dir", "/run/hook-events");
  const EventTarget target = TRY(parse_event_target(options.value_or("to", "")));
  auto sent = send_event(target, event, directory);
  if (sent) return 0;
  count_dropped(directory);
  return std::move(sent).error();
}

constexpr Hook kHook = {"hook-audit", "<STATE", "write down what a container is allowed", kOptions,
                        audit};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
