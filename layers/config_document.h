// SPDX-License-Identifier: Apache-2.0
// config_document.h - an image's configuration to be changed: what we do not
// know stays as it is, in the order in which it stood.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json.h"

#include "image.h"

// A JSON object whose members are kept as text.
class JsonMembers {
 public:
  static Result<JsonMembers> of(const JsonView& object);
  void set(std::string_view key, std::string json);  // in its place, or at the end
  void erase(std::string_view key);
  std::optional<std::string> get(std::string_view key) const;
  bool empty() const { return members_.empty(); }
  std::string json() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

std::string json_text(std::string_view text);
std::string json_strings(const std::vector<std::string>& texts);

struct NewHistory {
  std::string created_by;
  std::string created;  // empty: now
  std::string author = {};
  std::string comment = {};
  bool empty_layer = false;
};

class ConfigDocument {
 public:
  static Result<ConfigDocument> parse(const std::string& name, std::string_view text);
  // Of an image without layers.
  static ConfigDocument fresh(const Platform& platform);

  JsonMembers root;    // all but "config", "rootfs" and "history"
  JsonMembers config;  // the process to run
  std::vector<Digest> diff_ids;
  std::vector<std::string> history;  // each a JSON object

  void add_history(const NewHistory& entry);

  // Members of "config" that are lists of strings, objects with strings, sets.
  Result<std::vector<std::string>> strings(std::string_view key) const;
  void set_strings(std::string_view key, const std::vector<std::string>& values);
  Result<std::map<std::string, std::string>> map(std::string_view key) const;
  void set_map(std::string_view key, const std::map<std::string, std::string>& values);
  Result<std::vector<std::string>> keys(std::string_view key) const;
  void set_keys(std::string_view key, const std::vector<std::string>& values);
  Result<std::string> text(std::string_view key) const;  // empty when it is not there
  void set_text(std::string_view key, std::string_view value);

  // "K=V" takes the place of another value of K.
  Result<void> set_variable(const std::string& assignment);

  std::string json() const;

 private:
  Result<std::optional<JsonDocument>> member(std::string_view key) const;
};
