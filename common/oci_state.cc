// SPDX-License-Identifier: Apache-2.0
#include "common/oci_state.h"

#include <limits>

#include "common/json.h"

namespace {

Result<std::string> optional_string(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  if (!member) return std::string();
  return member->string();
}

}  // namespace

Result<OciState> parse_oci_state(const std::string& name, std::string_view json) {
  const JsonDocument document = TRY(JsonDocument::parse(name, json));
  const JsonView root = document.root();
  OciState state;
  const JsonView id = TRY(root.at("id"));
  state.id = TRY(id.string());
  state.oci_version = TRY(optional_string(root, "ociVersion"));
  state.status = TRY(optional_string(root, "status"));
  state.bundle = TRY(optional_string(root, "bundle"));
  if (const auto pid = root.find("pid")) {
    const std::int64_t number = TRY(pid->integer());
    if (number < 0 || number > std::numeric_limits<int>::max())
      return pid->error("not a process id");
    state.pid = static_cast<int>(number);
  }
  if (const auto annotations = root.find("annotations"))
    for (const auto& [key, value] : TRY(annotations->members()))
      state.annotations[key] = TRY(value.string());
  return state;
}

Result<OciState> read_oci_state(FdRef input) {
  constexpr std::size_t kLimit = std::size_t{1} << 20;
  const std::string text = TRY(read_all(input, "standard input", kLimit));
  return parse_oci_state("state on standard input", text);
}

std::string to_json(const OciState& state) {
  JsonWriter w;
  w.begin_object();
  w.member("ociVersion", state.oci_version).member("id", state.id).member("status", state.status);
  if (state.pid != 0) w.member("pid", state.pid);
  w.member("bundle", state.bundle);
  if (!state.annotations.empty()) {
    w.key("annotations").begin_object();
    for (const auto& [key, value] : state.annotations) w.member(key, value);
    w.end_object();
  }
  return w.end_object().take();
}
