// SPDX-License-Identifier: Apache-2.0
// spec_read.h - between the files of the spec reader; nobody else includes it.
#pragma once

#include <string>
#include <vector>

#include "common/json.h"

#include "spec.h"

Result<ProcessSpec> read_process(const JsonView& view, std::vector<std::string>& warnings);
Result<void> read_mounts(const JsonView& view, Spec& spec);
Result<void> read_linux(const JsonView& view, Spec& spec, const KnownFilter& known);
Result<std::vector<Mapping>> read_mappings(const JsonView& view);

// What only several fields together can tell to be wrong.
Result<void> check_together(const JsonView& root, const Spec& spec);

Result<std::uint32_t> read_uint32(const JsonView& view);
Result<std::uint32_t> read_uint32(Result<JsonView> required);
Result<std::uint64_t> read_uint64(Result<JsonView> required);
Result<std::string> read_string(Result<JsonView> required);
Result<void> read_optional(const JsonView& object, std::string_view key, std::string& into);
Result<void> read_optional(const JsonView& object, std::string_view key, bool& into);
Result<void> read_optional(const JsonView& object, std::string_view key, std::uint32_t& into);
Result<void> read_optional(const JsonView& object, std::string_view key, std::uint64_t& into);
Result<void> read_optional(const JsonView& object, std::string_view key,
                           std::vector<std::string>& into);
