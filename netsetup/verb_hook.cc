// SPDX-License-Identifier: Apache-2.0
// verb_hook.cc - `netsetup hook`: the OCI hook. The runtime's state comes on
// standard input: createRuntime (status "creating" or "created") connects the
// container, poststop ("stopped") disconnects it. Standard output stays empty.
#include <unistd.h>

#include "common/oci_state.h"

#include "verbs.h"

Result<int> verb_hook(const Arguments& arguments) {
  const OciState state = TRY(read_oci_state(FdRef(STDIN_FILENO)));
  if (!is_identifier(state.id, kLongestId))
    return Error{"state on standard input: '" + state.id + "' is no container id"};
  if (state.status == "stopped") {
    const NetworkRequest network = TRY(network_request(arguments.options));
    TRY(take_away(arguments, state.id, network.name));
    return 0;
  }
  if (state.status != "creating" && state.status != "created" && state.status != "running")
    return Error{"state on standard input: nothing to do for status '" + state.status + "'", 0,
                 "use it as a createRuntime and as a poststop hook"};
  if (state.pid <= 0) return Error{"state on standard input: the container has no process"};
  AttachRequest request = TRY(attach_request(arguments.options, state.bundle));
  request.id = state.id;
  request.netns = "/proc/" + std::to_string(state.pid) + "/ns/net";
  TRY(bring_up(arguments, request, state.pid));
  return 0;
}
