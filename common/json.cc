// SPDX-License-Identifier: Apache-2.0
#include "common/json.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace {

using Value = rapidjson::Value;
using rapidjson::SizeType;

const Value& as_value(const void* p) {
  return *static_cast<const Value*>(p);
}

std::string_view text_of(const Value& v) {
  return {v.GetString(), v.GetStringLength()};
}

constexpr int kMaxDepth = 64;

// RFC 6901: '~' and '/' inside a key are written "~0" and "~1".
std::string append_token(const std::string& pointer, std::string_view key) {
  std::string out = pointer + "/";
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

struct Complaint {
  std::string pointer;
  std::string_view text;
};

// RapidJSON keeps both members of {"a":1,"a":2} and finds the first; Go and
// Python find the last. Two readers that disagree about a sandbox
// configuration are a security bug, so we refuse the document.
std::optional<Complaint> find_duplicate(const Value& v, const std::string& pointer) {
  std::vector<std::string_view> keys;
  keys.reserve(v.MemberCount());
  for (const auto& m : v.GetObject()) keys.push_back(text_of(m.name));
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice == keys.end()) return std::nullopt;
  return Complaint{append_token(pointer, *twice), "duplicate key"};
}

std::optional<Complaint> check_shape(const Value& v, const std::string& pointer, int depth) {
  if (depth > kMaxDepth) return Complaint{pointer, "nested too deeply"};
  if (v.IsArray()) {
    for (SizeType i = 0; i < v.Size(); ++i)
      if (v[i].IsArray() || v[i].IsObject())
        if (auto bad = check_shape(v[i], pointer + "/" + std::to_string(i), depth + 1)) return bad;
  }
  if (!v.IsObject()) return std::nullopt;
  if (auto bad = find_duplicate(v, pointer)) return bad;
  for (const auto& m : v.GetObject())
    if (m.value.IsArray() || m.value.IsObject())
      if (auto bad = check_shape(m.value, append_token(pointer, text_of(m.name)), depth + 1))
        return bad;
  return std::nullopt;
}

Error located(const std::string& document, const std::string& pointer, std::string_view text) {
  Error error{document + ": "};
  if (!pointer.empty()) error.what.append(pointer).append(": ");
  error.what.append(text);
  error.field = pointer;
  return error;
}

}  // namespace

struct JsonDocument::Impl {
  std::string name;
  rapidjson::Document document;
};

JsonDocument::JsonDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string name, std::string_view text) {
  // Iterative: the recursive parser overflows the stack on 200 000 '['.
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  auto impl = std::make_unique<Impl>();
  impl->name = std::move(name);
  impl->document.Parse<kFlags>(text.data(), text.size());
  if (impl->document.HasParseError())
    return Error{impl->name + ": invalid JSON at byte " +
                 std::to_string(impl->document.GetErrorOffset()) + ": " +
                 rapidjson::GetParseError_En(impl->document.GetParseError())};
  if (auto bad = check_shape(impl->document, "", 0))
    return located(impl->name, bad->pointer, bad->text);
  return JsonDocument(std::move(impl));
}

JsonView JsonDocument::root() const {
  return {&impl_->document, &impl_->name, ""};
}

JsonView JsonView::child(const void* value, std::string_view token) const {
  return {value, document_, append_token(pointer_, token)};
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  const Value& v = as_value(value_);
  if (!v.IsObject()) return std::nullopt;
  const Value name(rapidjson::StringRef(key.data(), static_cast<SizeType>(key.size())));
  const auto it = v.FindMember(name);
  if (it == v.MemberEnd() || it->value.IsNull()) return std::nullopt;
  return child(&it->value, key);
}

Result<JsonView> JsonView::at(std::string_view key) const {
  if (!is_object()) return expected("an object");
  if (auto member = find(key)) return *std::move(member);
  return located(*document_, append_token(pointer_, key), "missing");
}

Result<std::vector<JsonView>> JsonView::items() const {
  const Value& v = as_value(value_);
  if (!v.IsArray()) return expected("an array");
  std::vector<JsonView> out;
  out.reserve(v.Size());
  for (SizeType i = 0; i < v.Size(); ++i) out.push_back(child(&v[i], std::to_string(i)));
  return out;
}

Result<std::vector<std::pair<std::string, JsonView>>> JsonView::members() const {
  const Value& v = as_value(value_);
  if (!v.IsObject()) return expected("an object");
  std::vector<std::pair<std::string, JsonView>> out;
  out.reserve(v.MemberCount());
  for (const auto& m : v.GetObject())
    if (!m.value.IsNull()) out.emplace_back(text_of(m.name), child(&m.value, text_of(m.name)));
  return out;
}

Result<std::string> JsonView::string() const {
  const Value& v = as_value(value_);
  if (!v.IsString()) return expected("a string");
  std::string s(text_of(v));
  if (s.find('\0') != std::string::npos) return error("contains a NUL byte");
  return s;
}

Result<std::int64_t> JsonView::integer() const {
  const Value& v = as_value(value_);
  if (!v.IsInt64()) return expected("an integer");
  return v.GetInt64();
}

Result<std::uint64_t> JsonView::unsigned_integer() const {
  const Value& v = as_value(value_);
  if (!v.IsUint64()) return expected("an integer of 0 or more");
  return v.GetUint64();
}

Result<double> JsonView::number() const {
  const Value& v = as_value(value_);
  if (!v.IsNumber()) return expected("a number");
  return v.GetDouble();
}

Result<bool> JsonView::boolean() const {
  const Value& v = as_value(value_);
  if (!v.IsBool()) return expected("true or false");
  return v.GetBool();
}

Result<std::vector<std::string>> JsonView::strings() const {
  const Value& v = as_value(value_);
  if (!v.IsArray()) return expected("an array");
  std::vector<std::string> out;
  out.reserve(v.Size());
  for (SizeType i = 0; i < v.Size(); ++i) {
    // A view of its own, with its pointer, only for what will be an error.
    const bool good = v[i].IsString() && text_of(v[i]).find('\0') == std::string_view::npos;
    if (good)
      out.emplace_back(text_of(v[i]));
    else
      out.push_back(TRY(child(&v[i], std::to_string(i)).string()));
  }
  return out;
}

bool JsonView::is_object() const {
  return as_value(value_).IsObject();
}

bool JsonView::is_array() const {
  return as_value(value_).IsArray();
}

bool JsonView::is_string() const {
  return as_value(value_).IsString();
}

bool JsonView::is_number() const {
  return as_value(value_).IsNumber();
}

std::string JsonView::json() const {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  as_value(value_).Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

Error JsonView::error(std::string_view text) const {
  return located(*document_, pointer_, text);
}

Error JsonView::expected(std::string_view type) const {
  static constexpr const char* kFound[] = {"null",     "a boolean", "a boolean", "an object",
                                           "an array", "a string",  "a number"};
  const Value& v = as_value(value_);
  return error("expected " + std::string(type) + ", found " +
               kFound[static_cast<std::size_t>(v.GetType())]);
}
