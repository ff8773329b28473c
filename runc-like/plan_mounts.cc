// SPDX-License-Identifier: Apache-2.0
// The root file system and what is mounted in it: words of config.json to
// attributes, trees to be opened outside, and steps for inside.
#include <sys/mount.h>

#include <algorithm>

#include "mount_options.h"
#include "plan.h"
#include "table_mount_options.h"
#include "table_names.h"

using wire::Op;

namespace {

class MountPlanner {
 public:
  MountPlanner(Plan& plan, const Spec& spec, const PlanOptions& options, const HostFacts& facts)
      : plan_(plan), spec_(spec), options_(options), facts_(facts) {}

  void root();
  Result<void> mount(const MountSpec& mount);
  void notify();
  void finish();

 private:
  Error error(const MountSpec& mount, const std::string& text) const;
  Result<void> check_proc(const MountSpec& mount, const MountOptions& options) const;
  Result<void> bind(const MountSpec& mount, const MountOptions& options);
  Result<void> remount(const MountSpec& mount, const MountOptions& options);
  Result<void> file_system(const MountSpec& mount, MountOptions options);
  void tree(const MountSpec& mount, const MountOptions& options, const std::string& source);
  void cgroup(const MountSpec& mount, const MountOptions& options);
  void cgroup_v1(const MountSpec& mount, const MountOptions& options);
  void hierarchy(const MountSpec& mount, const CgroupHierarchy& h, const MountOptions& options);
  void propagate(const MountSpec& mount, const MountOptions& options);
  wire::Step& fs_step(const MountSpec& mount, const std::string& type, const std::string& target,
                      const std::string& source, const std::vector<MountWord>& data);
  void later(const MountSpec& mount, const std::string& target, std::uint64_t attributes,
             bool at_link = false);
  std::uint64_t inherited() const;

  Plan& plan_;
  const Spec& spec_;
  const PlanOptions& options_;
  const HostFacts& facts_;
  std::vector<PlannedStep> last_;  // read-only, once everything is in place
};

std::string inside(const std::string& destination) {
  return destination.substr(1);
}

std::uint32_t link_flags(const MountOptions& options) {
  return (options.at_link ? wire::kMountAtLink : 0) |
         (options.copy_link ? wire::kMountCopyLink : 0);
}

Error MountPlanner::error(const MountSpec& mount, const std::string& text) const {
  return Error{"config.json: " + mount.field + ": " + text, 0, "", mount.field};
}

// What the host's mounts are to ours: by default they reach us and ours do not
// reach the host.
std::uint64_t MountPlanner::inherited() const {
  const std::uint64_t asked = spec_.root_propagation & ~std::uint64_t{MS_REC};
  return asked == 0 || asked == MS_UNBINDABLE ? std::uint64_t{MS_SLAVE} : asked;
}

void MountPlanner::root() {
  // Without a mount namespace the mounts are the host's, and nothing covers its root.
  if (spec_.find_namespace(CLONE_NEWNS) == nullptr) {
    const std::int32_t slot = plan_.hand(
        {.what = Handed::What::Directory, .path = options_.rootfs, .field = "/root/path"});
    wire::Step& step = plan_.add(Op::AttachRoot, "/root/path");
    step.slot = slot;
    step.flags = 1;
    return;
  }
  const std::uint64_t flag = inherited();
  wire::Step& propagation = plan_.add(Op::Propagation, "/linux/rootfsPropagation");
  // "shared" keeps what lies below as the host has it; "/" itself never, or the
  // container's root would appear there.
  propagation.flags =
      static_cast<std::uint32_t>(flag == MS_SHARED ? std::uint64_t{MS_PRIVATE} : flag | MS_REC);
  const std::int32_t slot =
      plan_.hand({.path = options_.rootfs,
                  .recursive = true,
                  .propagation = flag == MS_SHARED ? std::uint64_t{MS_PRIVATE} : flag,
                  .field = "/root/path"});
  plan_.add(Op::AttachRoot, "/root/path").slot = slot;
}

// /proc belongs to proc; below it only files that tools fake may be covered.
Result<void> MountPlanner::check_proc(const MountSpec& mount, const MountOptions& options) const {
  static constexpr auto kMayCover = std::to_array<std::string_view>(
      {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/slabinfo",
       "/proc/stat", "/proc/swaps", "/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/ns_last_pid",
       "/proc/uptime"});
  if (mount.destination == "/proc") {
    if (mount.type == "proc" || options.bind) return {};
    return error(mount, "\"/proc\" cannot be mounted with type '" + mount.type +
                            "': only proc, or a bind of one");
  }
  if (!mount.destination.starts_with("/proc/")) return {};
  for (const std::string_view path : kMayCover)
    if (mount.destination == path) return {};
  return error(mount, "\"" + mount.destination + "\" cannot be mounted because it is inside /proc");
}

wire::Step& MountPlanner::fs_step(const MountSpec& mount, const std::string& type,
                                  const std::string& target, const std::string& source,
                                  const std::vector<MountWord>& data) {
  const std::uint32_t target_at = plan_.text(target);
  const std::uint32_t type_at = plan_.text(type);
  const std::uint32_t source_at = plan_.text(source);
  const std::uint32_t data_at = encode_words(plan_, data);
  wire::Step& step = plan_.add(Op::MountFs, mount.field);
  step.text[0] = target_at;
  step.text[1] = type_at;
  step.text[2] = source_at;
  step.text[3] = data_at;
  return step;
}

void MountPlanner::later(const MountSpec& mount, const std::string& target,
                         std::uint64_t attributes, bool at_link) {
  PlannedStep step;
  step.step.op = Op::Attributes;
  step.step.slot = -1;
  step.step.text[0] = plan_.text(target);
  step.step.arg[0] = attributes;
  step.step.arg[2] = at_link ? wire::kMountAtLink : 0;
  step.field = mount.field;
  last_.push_back(step);
}

void MountPlanner::propagate(const MountSpec& mount, const MountOptions& options) {
  for (const std::uint64_t flags : options.propagation) {
    const std::uint32_t target = plan_.text(inside(mount.destination));
    wire::Step& step = plan_.add(Op::MountPropagation, mount.field);
    step.text[0] = target;
    step.flags = static_cast<std::uint32_t>(flags);
    step.arg[0] = link_flags(options);
  }
}

void MountPlanner::tree(const MountSpec& mount, const MountOptions& options,
                        const std::string& source) {
  const std::uint64_t flag = inherited();
  const bool maps = options.idmap;
  const std::int32_t slot =
      plan_.hand({.path = source,
                  .recursive = options.recursive,
                  .follow = options.follow,
                  .propagation = flag == MS_SHARED ? 0 : flag,
                  .uid_mappings = !maps                        ? std::vector<Mapping>{}
                                  : mount.uid_mappings.empty() ? spec_.uid_mappings
                                                               : mount.uid_mappings,
                  .gid_mappings = !maps                        ? std::vector<Mapping>{}
                                  : mount.gid_mappings.empty() ? spec_.gid_mappings
                                                               : mount.gid_mappings,
                  .idmap_all = options.idmap_all,
                  .only_procfs = mount.destination == "/proc",
                  .field = mount.field + "/source"});
  const std::uint32_t target = plan_.text(inside(mount.destination));
  const std::uint32_t source_at = plan_.text(source);
  wire::Step& step = plan_.add(Op::MountTree, mount.field);
  step.slot = slot;
  step.flags = link_flags(options);
  step.text[0] = target;
  step.text[2] = source_at;
  step.arg[0] = options.set;
  step.arg[1] = options.clear;
  step.arg[2] = options.set_all | options.clear_all << 32U;
}

Result<void> MountPlanner::bind(const MountSpec& mount, const MountOptions& options) {
  for (std::size_t i = 0; i < mount.options.size(); ++i) {
    const std::string& word = mount.options[i];
    if (find_row(kMountOptions, word) != nullptr) continue;
    MountSpec option = mount;
    option.field += "/options/" + std::to_string(i);
    if (!did_you_mean(kMountOptions, word).empty()) return error(option, unknown_option(word));
    return error(option,
                 "bind mounts cannot have any filesystem-specific options applied: '" + word + "'");
  }
  if (mount.source.empty()) return error(mount, "a bind mount needs a source");
  if (options.idmap && (mount.uid_mappings.empty() != mount.gid_mappings.empty()))
    return error(mount, "idmap needs both uidMappings and gidMappings");
  tree(mount, options,
       mount.source.starts_with('/') ? mount.source : options_.bundle + "/" + mount.source);
  propagate(mount, options);
  return {};
}

Result<void> MountPlanner::file_system(const MountSpec& mount, MountOptions options) {
  if (options.idmap) return error(mount, "only a bind mount can be idmapped");
  const bool tmpfs = mount.type == "tmpfs";
  // Devices and mountpoints are made in it first.
  const bool late_ro = (options.set & MOUNT_ATTR_RDONLY) != 0 && tmpfs;
  if (late_ro) options.set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  bool mode_given = false;
  for (const MountWord& word : options.data) mode_given |= word.text.starts_with("mode=");
  if (!spec_.mount_label.empty() && (tmpfs || mount.type == "mqueue"))
    options.data.push_back({"context=" + spec_.mount_label});
  const MountText joined =
      std::ranges::any_of(options.data, is_long) ? join_words(options.data) : MountText{};
  constexpr std::size_t kMostText = 4095;  // a page
  if (joined.text.size() > kMostText)
    return error(mount, "options of " + std::to_string(joined.text.size()) +
                            " bytes; the kernel takes " + std::to_string(kMostText));
  const std::uint32_t joined_at = joined.text.empty() ? 0 : plan_.text(joined.text);
  wire::Step& step =
      fs_step(mount, mount.type, inside(mount.destination), mount.source, options.data);
  step.arg[0] = options.set;
  step.arg[1] = joined_at;
  step.arg[2] = joined.flags;
  step.flags = options.at_link ? wire::kMountAtLink : 0;
  if (tmpfs)
    step.flags |=
        (mode_given ? 0 : wire::kMountKeepMode) | (options.copy_up ? wire::kMountCopyUp : 0);
  if (mount.type == "proc" || mount.type == "sysfs") step.flags = wire::kMountOrdinary;
  if (late_ro) later(mount, inside(mount.destination), MOUNT_ATTR_RDONLY, options.at_link);
  propagate(mount, options);
  return {};
}

// The attributes of a mount that an earlier entry has made, or that came with a tree.
Result<void> MountPlanner::remount(const MountSpec& mount, const MountOptions& options) {
  if (!options.data.empty())
    return error(mount, "remount changes the mount, not its file system: '" + options.data[0].text +
                            "' has no place here");
  const auto change = [&](std::uint64_t set, std::uint64_t clear, bool all) {
    if (set == 0 && clear == 0) return;
    const std::uint32_t target = plan_.text(inside(mount.destination));
    wire::Step& step = plan_.add(Op::Attributes, mount.field);
    step.text[0] = target;
    step.arg[0] = set;
    step.arg[1] = clear;
    step.arg[2] = options.at_link ? wire::kMountAtLink : 0;
    step.flags = all ? 1 : 0;
  };
  change(options.set, options.clear, false);
  change(options.set_all, options.clear_all, true);
  propagate(mount, options);
  return {};
}

// One v1 hierarchy: with a cgroup namespace a mount of its own, which begins at
// our cgroup; without, our directory of the host's mount.
void MountPlanner::hierarchy(const MountSpec& mount, const CgroupHierarchy& h,
                             const MountOptions& options) {
  const std::string name = h.mount.substr(h.mount.rfind('/') + 1);
  const std::string target = inside(mount.destination) + "/" + name;
  if (spec_.find_namespace(CLONE_NEWCGROUP) != nullptr) {
    std::vector<MountWord> data;
    if (h.name.starts_with("name=")) {
      data = {{"none"}, {h.name}};
    } else {
      for (std::size_t at = 0; at < h.name.size();) {
        const std::size_t comma = std::min(h.name.find(',', at), h.name.size());
        data.push_back({h.name.substr(at, comma - at)});
        at = comma + 1;
      }
    }
    fs_step(mount, "cgroup", target, "cgroup", data).arg[0] = options.set;
    return;
  }
  const auto directory = facts_.cgroup_dirs.find(h.name);
  MountSpec part = mount;
  part.destination = "/" + target;
  MountOptions attributes = options;
  attributes.recursive = false;
  tree(part, attributes,
       directory == facts_.cgroup_dirs.end() ? h.mount + h.own : directory->second);
}

void MountPlanner::cgroup_v1(const MountSpec& mount, const MountOptions& options) {
  const std::string target = inside(mount.destination);
  fs_step(mount, "tmpfs", target, "tmpfs", {{"mode=755"}}).arg[0] =
      options.set & ~std::uint64_t{MOUNT_ATTR_RDONLY};
  for (const CgroupHierarchy& h : facts_.cgroups.hierarchies) {
    // Where the container has no cgroup of its own it would see the host's.
    if (h.name.empty() || (!facts_.cgroup_dirs.empty() && !facts_.cgroup_dirs.contains(h.name)))
      continue;
    hierarchy(mount, h, options);
    const std::string name = h.mount.substr(h.mount.rfind('/') + 1);
    for (std::size_t at = 0; at < h.name.size() && !h.name.starts_with("name=");) {
      const std::size_t comma = std::min(h.name.find(',', at), h.name.size());
      const std::string controller = h.name.substr(at, comma - at);
      at = comma + 1;
      if (controller == name) continue;
      const std::uint32_t link = plan_.text(target + "/" + controller);
      const std::uint32_t to = plan_.text(name);
      wire::Step& step = plan_.add(Op::Symlink, mount.field);
      step.text[0] = link;
      step.text[1] = to;
    }
  }
  if ((options.set & MOUNT_ATTR_RDONLY) != 0) later(mount, target, MOUNT_ATTR_RDONLY);
}

void MountPlanner::cgroup(const MountSpec& mount, const MountOptions& options) {
  if (!facts_.cgroups.unified()) {
    cgroup_v1(mount, options);
  } else if (spec_.find_namespace(CLONE_NEWCGROUP) != nullptr ||
             facts_.cgroup_dirs.find("") == facts_.cgroup_dirs.end()) {
    fs_step(mount, "cgroup2", inside(mount.destination), "cgroup", {}).arg[0] = options.set;
  } else {
    MountOptions attributes = options;
    attributes.recursive = false;
    tree(mount, attributes, facts_.cgroup_dirs.at(""));
  }
  propagate(mount, options);
}

Result<void> MountPlanner::mount(const MountSpec& mount) {
  const MountOptions options = sort_mount_options(mount);
  if (mount.destination == "/")
    return error(mount, "the root itself cannot be a mount's destination");
  TRY(check_proc(mount, options));
  if (options.remount) return remount(mount, options);
  if (options.bind) return bind(mount, options);
  if (mount.type.empty()) return error(mount, "type is missing, and it is no bind mount");
  if (mount.type == "cgroup" || mount.type == "cgroup2") {
    cgroup(mount, options);
    return {};
  }
  // A user namespace may not mount the sysfs of a network namespace that is not its own.
  const bool foreign_sysfs = mount.type == "sysfs" &&
                             spec_.find_namespace(CLONE_NEWUSER) != nullptr &&
                             !spec_.has_new(CLONE_NEWNET);
  if (!foreign_sysfs) return file_system(mount, options);
  MountOptions all = options;
  all.recursive = true;
  all.set_all = options.set & MOUNT_ATTR_RDONLY;
  tree(mount, all, "/sys");
  propagate(mount, options);
  return {};
}

void MountPlanner::notify() {
  if (options_.notify_directory.empty()) return;
  MountSpec mount;
  mount.destination = "/run/notify";
  MountOptions options;
  options.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  tree(mount, options, options_.notify_directory);
}

void MountPlanner::finish() {
  for (PlannedStep& step : last_) plan_.steps.push_back(std::move(step));
}

}  // namespace

Result<void> plan_mounts(Plan& plan, const Spec& spec, const PlanOptions& options,
                         const HostFacts& facts) {
  MountPlanner planner(plan, spec, options, facts);
  planner.root();
  for (const MountSpec& mount : spec.mounts) TRY(planner.mount(mount));
  planner.notify();
  plan_devices(plan, spec, facts);
  planner.finish();
  return {};
}
