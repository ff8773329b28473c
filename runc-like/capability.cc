// SPDX-License-Identifier: Apache-2.0
#include "capability.h"

#include <sys/capability.h>

#include <memory>

#include "tables.h"

namespace {

std::string upper_case(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string with_prefix(std::string_view name) {
  const std::string upper = upper_case(name);
  return upper.starts_with("CAP_") ? upper : "CAP_" + upper;
}

}  // namespace

std::optional<unsigned> capability_number(std::string_view name) {
  cap_value_t number = 0;
  if (::cap_from_name(with_prefix(name).c_str(), &number) != 0) return std::nullopt;
  return static_cast<unsigned>(number);
}

std::vector<std::string> capability_names(std::uint64_t set) {
  std::vector<std::string> out;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((set >> bit & 1U) == 0) continue;
    const std::unique_ptr<char, int (*)(void*)> name(::cap_to_name(static_cast<cap_value_t>(bit)),
                                                     &::cap_free);
    if (name) out.push_back(upper_case(name.get()));
  }
  return out;
}

std::string nearest_capability(std::string_view name) {
  return nearest_word(capability_names(kEveryCapability), with_prefix(name));
}
