// SPDX-License-Identifier: Apache-2.0
#include "signal_name.h"

#include <signal.h>
#include <string.h>

#include "common/cli.h"

std::optional<int> signal_number(std::string_view text) {
  const auto known = parse_integer(text);
  if (known && *known > 0 && *known < NSIG) return static_cast<int>(*known);
  if (text.starts_with("SIG")) text.remove_prefix(3);
  for (int number = 1; number < NSIG; ++number) {
    const char* const name = ::sigabbrev_np(number);
    if (name != nullptr && text == name) return number;
  }
  return std::nullopt;
}
