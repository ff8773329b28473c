// SPDX-License-Identifier: Apache-2.0
// oci_state.h - the state document of runtime-spec (runtime.md, "State"): what
// `runc-like state` prints and every OCI hook reads on its standard input.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/fd.h"

struct OciState {
  std::string oci_version;
  std::string id;
  std::string status;  // creating, created, running, paused, stopped
  int pid = 0;         // 0 when there is no process
  std::string bundle;  // absolute path
  std::map<std::string, std::string> annotations = {};
};

// Unknown members are ignored, as the specification asks; `name` stands in errors.
Result<OciState> parse_oci_state(const std::string& name, std::string_view json);

// Standard input to its end, at most 1 MiB.
Result<OciState> read_oci_state(FdRef input);

std::string to_json(const OciState& state);  // compact, as hooks get it
