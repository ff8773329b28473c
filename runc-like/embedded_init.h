// SPDX-License-Identifier: Apache-2.0
// embedded_init.h - the executable that runs inside, as it was linked.
#pragma once

#include <string_view>

std::string_view embedded_init();
