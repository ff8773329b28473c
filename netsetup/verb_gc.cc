// SPDX-License-Identifier: Apache-2.0
// verb_gc.cc - `netsetup gc`: prints what it removed, one line each.
#include <cstdio>

#include "verbs.h"

Result<int> verb_gc(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const Garbage garbage = TRY(collect_garbage(store));
  for (const std::string& line : garbage.removed) std::printf("%s\n", line.c_str());
  return 0;
}
