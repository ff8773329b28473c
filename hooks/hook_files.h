// SPDX-License-Identifier: Apache-2.0
// hook_files.h - hook directories in the form of OCI hooks 1.0.0 (oci-hooks(5)), as
// podman and CRI-O read them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/json.h"

#include "pattern.h"

// What a hook's conditions are asked about.
struct ContainerFacts {
  std::map<std::string, std::string> annotations = {};
  std::optional<std::string> command = {};  // process.args[0]
  bool bind_mounts = false;
};
Result<ContainerFacts> container_facts(const JsonView& config);

struct HookConditions {
  std::optional<bool> always = {};
  std::optional<bool> has_bind_mounts = {};
  std::vector<std::pair<Pattern, Pattern>> annotations = {};  // of key and value
  std::vector<Pattern> commands = {};

  // Every condition that is set has to hold, and one has to be set.
  bool hold(const ContainerFacts& facts) const;
};

struct HookFile {
  std::string path;  // of the program
  std::vector<std::string> args = {};
  std::optional<std::vector<std::string>> env = {};
  std::int64_t timeout = 0;  // seconds; 0: none
  std::string json;          // as it goes into config.json
  HookConditions when = {};
  std::vector<std::string> stages = {};
};

// `name` stands in the errors.
Result<HookFile> parse_hook_file(const std::string& name, std::string_view text);

// Every *.json of the directories. Of two with the same name the one in the later
// directory counts; the order is that of the names in lower case. A directory that
// does not exist has none.
Result<std::vector<HookFile>> read_hook_files(std::span<const std::string> directories);

// The configuration with the hooks added whose conditions hold, behind those that
// it has. Hooks of the stage "precreate", which only engines know, are programs
// that change the configuration: they run last, each on what the one before wrote.
Result<std::string> inject_hooks(const JsonView& config, const std::vector<HookFile>& files);
