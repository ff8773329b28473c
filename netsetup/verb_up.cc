// SPDX-License-Identifier: Apache-2.0
// verb_up.cc - `netsetup up`: connect a namespace, print the CNI result.
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "cni_result.h"
#include "verbs.h"

namespace {

Result<std::string> here() {
  std::array<char, PATH_MAX> out = {};
  if (::getcwd(out.data(), out.size()) == nullptr)
    return errno_error("find", "the current directory");
  return std::string(out.data());
}

// "up NETNS ID", or "up --pid PID ID".
Result<int> place(const Arguments& arguments, AttachRequest& request) {
  const auto pid = arguments.options.value("pid");
  const auto& words = arguments.positionals;
  request.id = words.back();
  if (!pid) {
    if (words.size() != 2)
      return Error{"which namespace?", 0, "give NETNS and ID, or --pid PID and ID"};
    request.netns = words[0];
    return 0;
  }
  if (words.size() != 1) return Error{"both --pid and a namespace were given"};
  const auto number = parse_integer(*pid);
  if (!number || *number < 1 || *number > INT_MAX) return Error{"'" + *pid + "' is no process id"};
  request.netns = "/proc/" + *pid + "/ns/net";
  return static_cast<int>(*number);
}

}  // namespace

Result<int> verb_up(const Arguments& arguments) {
  const std::string directory = TRY(here());
  AttachRequest request = TRY(attach_request(arguments.options, directory));
  const int pid = TRY(place(arguments, request));
  if (arguments.options.flag("dry-run")) {
    const NetworkRequest network = TRY(network_request(arguments.options));
    const Store store = TRY(open_store(arguments));
    const std::string text = TRY(describe_attach(store, network, request));
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  const Attached attached = TRY(bring_up(arguments, request, pid));
  std::fputs(cni_result("1.1.0", attached, {}).c_str(), stdout);
  return 0;
}
