// SPDX-License-Identifier: Apache-2.0
// verb_reload.cc - `netsetup reload`: the rules, as the records say, after somebody
// flushed them.
#include <cstdio>

#include "firewall.h"
#include "forward_policy.h"
#include "verbs.h"

Result<int> verb_reload(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const FileLock lock = TRY(store.lock());
  const Firewall firewall = TRY(Firewall::open());
  const auto networks = TRY(store.networks());
  for (const Network& network : networks) {
    const auto members = TRY(store.members(network.name, ""));
    TRY(firewall.restore(network, members));
    const auto warnings = TRY(pass_forward_policy(network));
    for (const std::string& warning : warnings)
      std::fprintf(stderr, "netsetup: warning: %s\n", warning.c_str());
  }
  return 0;
}
