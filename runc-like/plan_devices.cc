// SPDX-License-Identifier: Apache-2.0
// What stands in the container's /dev: the nodes that every container has, those
// of linux.devices, and the usual links.
#include <sched.h>

#include <array>

#include "mount_options.h"
#include "plan.h"

using wire::Op;

namespace {

constexpr auto kDevices =
    std::to_array<std::pair<std::string_view, std::uint32_t>>({{"/dev/null", 3},
                                                               {"/dev/zero", 5},
                                                               {"/dev/full", 7},
                                                               {"/dev/random", 8},
                                                               {"/dev/urandom", 9},
                                                               {"/dev/tty", 0}});

constexpr auto kLinks =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"dev/fd", "/proc/self/fd"},
                                                                  {"dev/stdin", "/proc/self/fd/0"},
                                                                  {"dev/stdout", "/proc/self/fd/1"},
                                                                  {"dev/stderr", "/proc/self/fd/2"},
                                                                  {"dev/core", "/proc/kcore"}});

std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) {
  return (minor & 0xffU) | (major & 0xfffU) << 8U |
         static_cast<std::uint64_t>(minor & ~0xffU) << 12U;
}

void plan_device(Plan& plan, const DeviceSpec& device, bool bound) {
  const std::uint32_t path = plan.text(device.path.substr(1));
  if (bound && device.type != 'p') {
    const std::int32_t slot = plan.hand({.path = device.path, .field = device.field});
    wire::Step& step = plan.add(Op::DeviceTree, device.field);
    step.slot = slot;
    step.text[0] = path;
    return;
  }
  wire::Step& step = plan.add(Op::Device, device.field);
  const std::uint32_t kind = device.type == 'b'   ? 0060000U
                             : device.type == 'p' ? 0010000U
                                                  : 0020000U;
  step.text[0] = path;
  step.flags = device.mode | kind;
  step.arg[0] = device_number(device.major, device.minor);
  step.arg[1] = device.uid | static_cast<std::uint64_t>(device.gid) << 32U;
}

}  // namespace

void plan_devices(Plan& plan, const Spec& spec, const HostFacts& facts) {
  // A /dev that is bound from outside has what it needs.
  for (const MountSpec& mount : spec.mounts)
    if (mount.destination == "/dev" && sort_mount_options(mount).bind) return;
  const bool bound = facts.user_namespace || spec.find_namespace(CLONE_NEWUSER) != nullptr;
  for (const auto& [path, minor] : kDevices) {
    bool given = false;
    for (const DeviceSpec& device : spec.devices) given |= device.path == path;
    if (given) continue;
    const std::uint32_t major = path == "/dev/tty" ? 5 : 1;
    plan_device(plan, {.path = std::string(path), .major = major, .minor = minor}, bound);
  }
  for (const DeviceSpec& device : spec.devices) plan_device(plan, device, bound);
  const auto link = [&](std::string_view path, std::string_view to, bool replace) {
    const std::uint32_t path_at = plan.text(path);
    const std::uint32_t to_at = plan.text(to);
    wire::Step& step = plan.add(Op::Symlink, "");
    step.text[0] = path_at;
    step.text[1] = to_at;
    step.flags = replace ? 1 : 0;
  };
  for (const auto& [path, to] : kLinks) link(path, to, false);
  link("dev/ptmx", "pts/ptmx", true);
}
