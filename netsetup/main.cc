// SPDX-License-Identifier: Apache-2.0
// netsetup - connects a container's network namespace to a bridge, by netlink alone.
#include <array>

#include "cni.h"
#include "netavark.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kGlobal = std::to_array<Option>({
    {"state-dir", 0, Kind::Value, "DIR",
     "where networks, members and leases are kept (/run/netsetup)"},
    {"events", 0, Kind::Value, "PATH", "append events there, one JSON object per line"},
});

constexpr auto kDown = std::to_array<Option>({
    {"network", 'n', Kind::Value, "NAME", "leave this network only (default: all)"},
});

constexpr auto kJson = std::to_array<Option>({
    {"json", 0, Kind::Flag, "", "print JSON instead of a table"},
});

const auto kVerbs = std::to_array<Verb>({
    {"up", verb_up, "NETNS ID | --pid PID ID", "connect a container to a network", kUpOptions, 1,
     2},
    {"down", verb_down, "ID", "disconnect a container", kDown, 1, 1},
    {"hook", verb_hook, "", "OCI hook: up or down, by the state on standard input", kHookOptions, 0,
     0},
    {"ls", verb_ls, "", "list the connected containers", kJson, 0, 0},
    {"networks", verb_networks, "", "list the networks", kJson, 0, 0},
    {"inspect",
     verb_inspect,
     "ID",
     "print all that is known of a container's connections",
     {},
     1,
     1},
    {"check", verb_check, "ID", "compare a container's connections with the kernel", {}, 1, 1},
    {"reload", verb_reload, "", "put the firewall's rules back after they were flushed", {}, 0, 0},
    {"gc", verb_gc, "", "remove what no living container owns", {}, 0, 0},
});

}  // namespace

int main(int argc, char** argv) {
  if (argc > 0 && called_as_netavark(argv[0])) return run_netavark(argc, argv);
  if (argc > 0 && called_as_cni_plugin(argv[0])) return run_cni_plugin(argv[0]);
  const Program program{"netsetup", "Connects containers to networks, by netlink alone.",
                        "netsetup 0.1.0\n", kGlobal, kVerbs};
  return run_program(program, argc, argv);
}
