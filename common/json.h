// SPDX-License-Identifier: Apache-2.0
// json.h - read JSON without trusting it, write it without quoting by hand.
//
// A JsonView knows where it is, so every error names document and field by its
// JSON pointer (RFC 6901):
//   config.json: /process/rlimits/2/soft: expected an integer, found a string
// json.cc is the only file of the tree that includes RapidJSON.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

class JsonView {
 public:
  Result<JsonView> at(std::string_view key) const;           // required member
  std::optional<JsonView> find(std::string_view key) const;  // optional member; null is absent
  Result<std::vector<JsonView>> items() const;
  Result<std::vector<std::pair<std::string, JsonView>>> members() const;

  Result<std::string> string() const;  // refuses NUL bytes: paths end there
  Result<std::int64_t> integer() const;
  Result<std::uint64_t> unsigned_integer() const;
  Result<double> number() const;
  Result<bool> boolean() const;
  Result<std::vector<std::string>> strings() const;

  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;

  const std::string& pointer() const { return pointer_; }  // "/process/args/0"; "" for the root
  std::string json() const;                                // this value as compact JSON
  // "config.json: /process/cwd: <text>", with the pointer as the Error's field.
  Error error(std::string_view text) const;

 private:
  friend class JsonDocument;
  JsonView(const void* value, const std::string* document, std::string pointer)
      : value_(value), document_(document), pointer_(std::move(pointer)) {}
  Error expected(std::string_view type) const;
  JsonView child(const void* value, std::string_view token) const;

  const void* value_;            // owned by the JsonDocument this view came from
  const std::string* document_;  // its name, likewise
  std::string pointer_;
};

class JsonDocument {
 public:
  // `name` stands in the errors. Refuses duplicate keys, invalid UTF-8, trailing
  // bytes and nesting deeper than 64: whatever two readers could understand
  // differently.
  static Result<JsonDocument> parse(std::string name, std::string_view text);
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();
  JsonView root() const;

 private:
  struct Impl;
  explicit JsonDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Writes one JSON value. Calls nest as the text does; member("pid", 7) is
// key("pid").value(7). Bytes that are no UTF-8 become U+FFFD.
class JsonWriter {
 public:
  enum class Style { Compact, TwoSpaces, FourSpaces, Tabs };
  explicit JsonWriter(Style style = Style::Compact);
  JsonWriter(JsonWriter&&) noexcept;
  JsonWriter& operator=(JsonWriter&&) noexcept;
  ~JsonWriter();

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(unsigned number) { return value(static_cast<std::uint64_t>(number)); }
  JsonWriter& value(double number);
  JsonWriter& value(const std::vector<std::string>& texts);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // one complete value that is JSON already

  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }

  std::string take();  // the text, without a final newline

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
