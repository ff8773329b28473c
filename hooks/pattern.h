// SPDX-License-Identifier: Apache-2.0
// pattern.h - the regular expressions of hook files.
//
// Engines are written in Go, and so are their patterns. What such patterns use in
// practice is POSIX's extended syntax with \d, (?:…) and a leading (?i) besides;
// these are translated, and what has no counterpart is refused rather than read
// differently.
#pragma once

#include <regex.h>

#include <memory>
#include <string>

#include "common/result.h"

class Pattern {
 public:
  static Result<Pattern> parse(const std::string& text);
  bool matches(const std::string& subject) const;  // anywhere in it

 private:
  struct Free {
    void operator()(regex_t* compiled) const;
  };
  explicit Pattern(std::unique_ptr<regex_t, Free> compiled) : compiled_(std::move(compiled)) {}
  std::unique_ptr<regex_t, Free> compiled_;
};

// The POSIX form of `text` (without a leading "(?i)"). Pure.
Result<std::string> to_posix(const std::string& text);
