// SPDX-License-Identifier: Apache-2.0
// build_stage.h - one stage of a build on its way from its base to its last instruction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "digest.h"
#include "dockerfile.h"
#include "new_image.h"

struct Stage {
  std::string name;  // of AS, or its number
  std::size_t number = 0;
  char escape = '\\';
  NewImage image;
  Digest key;                                    // of all that went in so far
  std::map<std::string, std::string> args = {};  // of ARG, declared so far
  std::vector<std::string> shell = {"/bin/sh", "-c"};
  bool has_cmd = false;  // CMD was given in this stage

  // What "$NAME" means here: ENV before ARG.
  Result<Lookup> lookup() const;
  // "K=V" of the arguments that no ENV hides.
  Result<std::vector<std::string>> arguments() const;
  // Where a relative path begins.
  Result<std::string> working_dir() const;
  // One more thing that went in.
  void mix(std::string_view what);
};

// The instructions that change only the configuration: ENV, LABEL, USER, EXPOSE,
// VOLUME, STOPSIGNAL, HEALTHCHECK, SHELL, ONBUILD, ENTRYPOINT, CMD, MAINTAINER.
// False when it is another one.
Result<bool> apply_metadata(Stage& stage, const Instruction& instruction);

// "K=V K2='v 2'", or the old form "K rest of the line".
struct NameValue {
  std::string name;
  std::optional<std::string> value;
};
Result<std::vector<NameValue>> name_values(const std::string& text, bool old_form,
                                           const Lookup& lookup, char escape);

// Every word with its variables put in.
Result<std::vector<std::string>> expanded_words(const Stage& stage, std::string_view text);

// "1m30s" in nanoseconds.
std::optional<std::int64_t> parse_duration(std::string_view text);
