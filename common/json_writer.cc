// SPDX-License-Identifier: Apache-2.0
// json_writer.cc - the writing half of json.h.
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <variant>

#include "common/json.h"

namespace {

using Compact = rapidjson::Writer<rapidjson::StringBuffer>;
using Pretty = rapidjson::PrettyWriter<rapidjson::StringBuffer>;
using rapidjson::SizeType;

// The length of the UTF-8 sequence that begins `s`, or 0 when it is none
// (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t sequence_length(std::string_view s) {
  const auto byte = [&](std::size_t i) {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
  if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
  return length;
}

bool is_utf8(std::string_view s) {
  while (!s.empty()) {
    const std::size_t n = sequence_length(s);
    if (n == 0) return false;
    s.remove_prefix(n);
  }
  return true;
}

std::string replace_invalid(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    const std::size_t n = sequence_length(s);
    out.append(n == 0 ? "\xef\xbf\xbd" : s.substr(0, n));
    s.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

}  // namespace

struct JsonWriter::Impl {
  explicit Impl(Style style) : writer(std::in_place_type<Compact>, buffer) {
    if (style == Style::Compact) return;
    Pretty& pretty = writer.emplace<Pretty>(buffer);
    pretty.SetIndent(style == Style::Tabs ? '\t' : ' ', style == Style::Tabs        ? 1
                                                        : style == Style::TwoSpaces ? 2
                                                                                    : 4);
  }
  rapidjson::StringBuffer buffer;
  std::variant<Compact, Pretty> writer;
};

JsonWriter::JsonWriter(Style style) : impl_(std::make_unique<Impl>(style)) {}
JsonWriter::JsonWriter(JsonWriter&&) noexcept = default;
JsonWriter& JsonWriter::operator=(JsonWriter&&) noexcept = default;
JsonWriter::~JsonWriter() = default;

JsonWriter& JsonWriter::begin_object() {
  std::visit([](auto& w) { w.StartObject(); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  std::visit([](auto& w) { w.EndObject(); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  std::visit([](auto& w) { w.StartArray(); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  std::visit([](auto& w) { w.EndArray(); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  return value(name);  // RapidJSON's writers treat both alike and know which it is
}

JsonWriter& JsonWriter::value(std::string_view text) {
  if (!is_utf8(text)) return value(std::string_view(replace_invalid(text)));
  std::visit([&](auto& w) { w.String(text.data(), static_cast<SizeType>(text.size())); },
             impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  std::visit([&](auto& w) { w.Bool(truth); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
  std::visit([&](auto& w) { w.Int64(number); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  std::visit([&](auto& w) { w.Uint64(number); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  std::visit([&](auto& w) { w.Double(number); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::value(const std::vector<std::string>& texts) {
  begin_array();
  for (const std::string& text : texts) value(std::string_view(text));
  return end_array();
}

JsonWriter& JsonWriter::null() {
  std::visit([](auto& w) { w.Null(); }, impl_->writer);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  // The type matters to RapidJSON only for keys, and a key is never raw.
  std::visit([&](auto& w) { w.RawValue(json.data(), json.size(), rapidjson::kObjectType); },
             impl_->writer);
  return *this;
}

std::string JsonWriter::take() {
  return {impl_->buffer.GetString(), impl_->buffer.GetSize()};
}
