// SPDX-License-Identifier: Apache-2.0
// background.h - work that must not keep a container waiting.
#pragma once

#include <string>

#include "common/result.h"

// Divides the process: true in the one that goes on in the background, in a session
// of its own, with nothing open but what `keep` names (a descriptor, or -1) and
// /dev/null as its standard streams; false in the one that the runtime waits for.
Result<bool> go_to_background(int keep = -1);

// Events that reached nobody are counted in `<directory>/dropped`: its size in bytes
// is their number, so that counting is one append, whoever else counts.
void count_dropped(const std::string& directory);
std::size_t dropped_so_far(const std::string& directory);
