// SPDX-License-Identifier: Apache-2.0
#include "json_fields.h"

namespace {

// The words of a parser of text, at the field that holds the text.
template <class T>
Result<T> placed(const JsonView& field, Result<T> parsed) {
  if (parsed) return parsed;
  return field.error(parsed.error().what).with_hint(parsed.error().hint);
}

}  // namespace

Result<std::string> text_at(const JsonView& object, std::string_view key) {
  const JsonView field = TRY(object.at(key));
  return field.string();
}

Result<std::string> text_or(const JsonView& object, std::string_view key, std::string otherwise) {
  const auto found = object.find(key);
  if (!found) return otherwise;
  return found->string();
}

Result<bool> truth_or(const JsonView& object, std::string_view key, bool otherwise) {
  const auto found = object.find(key);
  if (!found) return otherwise;
  if (!found->is_string()) return found->boolean();
  const std::string text = TRY(found->string());
  if (text == "true" || text == "false") return text == "true";
  return found->error("expected true or false");
}

Result<std::vector<JsonView>> items_at(const JsonView& object, std::string_view key) {
  const auto found = object.find(key);
  if (!found) return std::vector<JsonView>();
  return found->items();
}

Result<Cidr> cidr_in(const JsonView& field) {
  const std::string text = TRY(field.string());
  return placed(field, parse_cidr(text));
}

Result<IpAddress> address_in(const JsonView& field) {
  const std::string text = TRY(field.string());
  return placed(field, parse_address(text));
}

Result<Cidr> cidr_at(const JsonView& object, std::string_view key) {
  const JsonView field = TRY(object.at(key));
  return cidr_in(field);
}

Result<std::optional<IpAddress>> address_if(const JsonView& object, std::string_view key) {
  const auto found = object.find(key);
  if (!found) return std::optional<IpAddress>();
  return std::optional<IpAddress>(TRY(address_in(*found)));
}

Result<std::uint16_t> port_at(const JsonView& object, std::string_view key) {
  const JsonView field = TRY(object.at(key));
  const std::int64_t number = TRY(field.integer());
  if (number < 1 || number > 65535) return field.error("a port is a number from 1 to 65535");
  return static_cast<std::uint16_t>(number);
}
