// SPDX-License-Identifier: Apache-2.0
#include "cgroup_layout.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ranges>

#include "common/fd.h"

namespace {

constexpr std::string_view kRoot = "/sys/fs/cgroup";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (const auto part : std::views::split(text, separator))
    out.emplace_back(part.begin(), part.end());
  return out;
}

// One line of /proc/self/cgroup, "4:memory:/a": name and path.
struct Membership {
  std::string name;
  std::string path;
};

std::vector<Membership> parse_memberships(std::string_view text) {
  std::vector<Membership> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto first = line.find(':');
    if (first == std::string_view::npos) continue;
    const auto second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    out.push_back({std::string(line.substr(first + 1, second - first - 1)),
                   std::string(line.substr(second + 1))});
  }
  return out;
}

bool is_cgroup2(const std::string& path) {
  struct statfs fs = {};
  return ::statfs(path.c_str(), &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

bool is_directory(const std::string& path) {
  struct stat st = {};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

std::string usual_name(const std::string& name) {
  if (name.empty()) return "unified";
  return name.starts_with("name=") ? name.substr(5) : name;
}

// One listing in place of a look at each hierarchy: a tenth of the time.
std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
  if (!dir) return out;
  while (const dirent* entry = ::readdir(dir.get())) out.emplace_back(entry->d_name);
  return out;
}

// Nothing when one hierarchy is not where distributions mount it, or when the
// path we are in cannot be seen there (a part of a hierarchy bound elsewhere).
std::optional<CgroupLayout> usual_layout(const std::vector<Membership>& memberships) {
  CgroupLayout layout;
  const std::string root(kRoot);
  const bool v2_alone = is_cgroup2(root);
  const std::vector<std::string> names = v2_alone ? std::vector<std::string>() : names_in(root);
  for (const Membership& m : memberships) {
    if (v2_alone && !m.name.empty()) continue;
    const std::string name = usual_name(m.name);
    if (!v2_alone && std::ranges::find(names, name) == names.end()) return std::nullopt;
    const std::string mount = v2_alone ? root : root + "/" + name;
    if (m.path != "/" && !is_directory(mount + m.path)) return std::nullopt;
    layout.hierarchies.push_back({m.name, mount, m.path});
  }
  return layout;
}

// The words of a mountinfo line that matter here (proc_pid_mountinfo(5)).
struct Mount {
  std::string_view root;
  std::string_view point;
  std::string_view type;
  std::string_view options;  // of the super block: "rw,memory"
};

std::optional<Mount> parse_mount(std::string_view line) {
  const auto separator = line.find(" - ");
  if (separator == std::string_view::npos) return std::nullopt;
  const auto before = split(line.substr(0, separator), ' ');
  const auto after = split(line.substr(separator + 3), ' ');
  if (before.size() < 6 || after.size() < 3) return std::nullopt;
  return Mount{before[3], before[4], after[0], after[2]};
}

bool same_controllers(std::string_view name, std::string_view options) {
  const auto words = split(options, ',');
  return std::ranges::all_of(split(name, ','), [&](std::string_view controller) {
    return std::ranges::find(words, controller) != words.end();
  });
}

bool is_mount_of(const Mount& mount, const std::string& name) {
  if (name.empty()) return mount.type == "cgroup2";
  return mount.type == "cgroup" && same_controllers(name, mount.options);
}

// A mount may show a part of the hierarchy only: then our own path begins there.
std::string seen_from(std::string_view root, const std::string& path) {
  if (root == "/" || !path.starts_with(root)) return path;
  const std::string rest = path.substr(root.size());
  return rest.empty() ? "/" : rest;
}

}  // namespace

bool CgroupHierarchy::has(std::string_view controller) const {
  const auto list = split(name, ',');
  return std::ranges::find(list, controller) != list.end();
}

const CgroupHierarchy* CgroupLayout::v2() const {
  for (const CgroupHierarchy& h : hierarchies)
    if (h.name.empty()) return &h;
  return nullptr;
}

const CgroupHierarchy* CgroupLayout::of(std::string_view controller) const {
  for (const CgroupHierarchy& h : hierarchies)
    if (!h.name.empty() && h.has(controller)) return &h;
  return nullptr;
}

bool CgroupLayout::unified() const {
  return hierarchies.size() == 1 && v2() != nullptr;
}

CgroupLayout parse_cgroup_layout(std::string_view cgroup, std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(mountinfo, '\n'))
    if (const auto mount = parse_mount(line); mount && mount->type.starts_with("cgroup"))
      mounts.push_back(*mount);
  CgroupLayout layout;
  for (const Membership& m : parse_memberships(cgroup)) {
    const auto found = std::ranges::find_if(
        mounts, [&](const Mount& mount) { return is_mount_of(mount, m.name); });
    if (found != mounts.end())
      layout.hierarchies.push_back(
          {m.name, std::string(found->point), seen_from(found->root, m.path)});
  }
  return layout;
}

Result<CgroupLayout> read_cgroup_layout() {
  const std::string cgroup = TRY(read_file("/proc/self/cgroup"));
  if (auto usual = usual_layout(parse_memberships(cgroup))) return *std::move(usual);
  const std::string mountinfo = TRY(read_file("/proc/self/mountinfo"));
  return parse_cgroup_layout(cgroup, mountinfo);
}
