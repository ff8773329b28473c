// SPDX-License-Identifier: Apache-2.0
// verb_down.cc - `netsetup down`: disconnect a container; what is gone already is no error.
#include "verbs.h"

Result<int> verb_down(const Arguments& arguments) {
  const std::string& id = arguments.positionals[0];
  const std::string network = arguments.options.value_or("network", "");
  if (!is_identifier(id, kLongestId)) return Error{"'" + id + "' is no container id"};
  if (!network.empty() && !is_identifier(network, kLongestNetwork))
    return Error{"'" + network + "' is no network name"};
  TRY(take_away(arguments, id, network));
  return 0;
}
