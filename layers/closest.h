// SPDX-License-Identifier: Apache-2.0
// closest.h - "did you mean …?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

// The word most like `wanted`, or empty when none is near enough to be meant.
std::string closest(std::string_view wanted, const std::vector<std::string>& words);
