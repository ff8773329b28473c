// SPDX-License-Identifier: Apache-2.0
// json_fields.h - the fields of our documents, by key and type, in one call each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

#include "address.h"

Result<std::string> text_at(const JsonView& object, std::string_view key);
Result<std::string> text_or(const JsonView& object, std::string_view key, std::string otherwise);
// Booleans may come as the strings "true" and "false": libcni takes them so.
Result<bool> truth_or(const JsonView& object, std::string_view key, bool otherwise);
// The items of an array; none when the member is absent.
Result<std::vector<JsonView>> items_at(const JsonView& object, std::string_view key);

// Values of the field itself.
Result<Cidr> cidr_in(const JsonView& field);
Result<IpAddress> address_in(const JsonView& field);
Result<Cidr> cidr_at(const JsonView& object, std::string_view key);
Result<std::optional<IpAddress>> address_if(const JsonView& object, std::string_view key);
Result<std::uint16_t> port_at(const JsonView& object, std::string_view key);
