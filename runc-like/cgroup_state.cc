// SPDX-License-Identifier: Apache-2.0
// cgroup_state.cc - a Cgroup as JSON, so that later commands find it again:
//   {"manager":"cgroupfs","hierarchies":[{"name":"memory","mount":…,"path":…,"joined":true},…]}
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cgroup_impl.h"

namespace {

constexpr auto kManagers = std::to_array<std::pair<std::string_view, CgroupManager>>({
    {"cgroupfs", CgroupManager::Cgroupfs},
    {"disabled", CgroupManager::Disabled},
    {"systemd", CgroupManager::Systemd},
});

std::string_view name_of(CgroupManager manager) {
  const auto* found = std::ranges::find(kManagers, manager, [](const auto& m) { return m.second; });
  return found->first;
}

Result<CgroupPlace> place_from(const JsonView& view) {
  CgroupPlace place;
  const JsonView name = TRY(view.at("name"));
  const JsonView mount = TRY(view.at("mount"));
  const JsonView path = TRY(view.at("path"));
  const JsonView joined = TRY(view.at("joined"));
  place.name = TRY(name.string());
  place.mount = TRY(mount.string());
  place.relative = TRY(path.string());
  // An update may have entered a hierarchy since, and then the directory is there.
  place.joined = TRY(joined.boolean()) || ::access(place.path().c_str(), F_OK) == 0;
  return place;
}

}  // namespace

std::string Cgroup::to_json() const {
  JsonWriter json;
  json.begin_object().member("manager", name_of(impl_->manager));
  json.key("hierarchies").begin_array();
  for (const CgroupPlace& place : impl_->places) {
    json.begin_object().member("name", place.name).member("mount", place.mount);
    json.member("path", place.relative).member("joined", place.joined).end_object();
  }
  json.end_array();
  if (!impl_->scope.unit.empty()) json.member("unit", impl_->scope.unit);
  json.end_object();
  return json.take();
}

Result<Cgroup> Cgroup::from_json(const JsonView& view) {
  Cgroup cgroup(std::make_unique<Impl>());
  const JsonView manager = TRY(view.at("manager"));
  const std::string name = TRY(manager.string());
  const auto* found = std::ranges::find(kManagers, name, [](const auto& m) { return m.first; });
  if (found == kManagers.end()) return manager.error("unknown cgroup manager '" + name + "'");
  cgroup.impl_->manager = found->second;
  if (const auto unit = view.find("unit")) cgroup.impl_->scope.unit = TRY(unit->string());
  const JsonView hierarchies = TRY(view.at("hierarchies"));
  for (const JsonView& item : TRY(hierarchies.items()))
    cgroup.impl_->places.push_back(TRY(place_from(item)));
  return cgroup;
}
