// SPDX-License-Identifier: Apache-2.0
// findings.h - everything that is wrong with a configuration, not only what a
// start would trip over first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec.h"

struct Finding {
  enum class Level { Error, Warning };
  Level level = Level::Error;
  std::string field;  // JSON pointer into the document as it was written
  std::string text;
  std::string hint = {};
};

// What the document itself is wrong in: each error of its reader, each field that
// nobody reads. The specification is what could be read of it; nothing when that
// is too little.
struct Examined {
  std::vector<Finding> findings;
  std::optional<Spec> spec;
};
Examined examine(std::string_view text);

// What this host lacks for it: files, file systems, controllers. `bundle` is absolute.
void examine_on_host(const Spec& spec, const std::string& bundle, std::vector<Finding>& findings);

// A document without the value at `pointer`.
std::string without(std::string_view text, const std::string& pointer);
