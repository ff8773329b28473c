// SPDX-License-Identifier: Apache-2.0
#include "cgroup.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cgroup_impl.h"

namespace {

// "/a//b/." to "/a/b"; a path that could climb is refused.
Result<std::string> normal_path(const std::string& path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    if (part == "..") {
      Error error{"cgroup path '" + path + "' contains '..'", EINVAL};
      error.field = "/linux/cgroupsPath";
      return error;
    }
    if (!part.empty() && part != ".") out.append("/").append(part);
    at = end + 1;
  }
  return out;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "" : path.substr(0, slash);
}

// Where the container goes in one hierarchy. A relative path starts at our own
// cgroup; on v2 beside it, since one that holds processes cannot pass on
// controllers.
Result<std::string> relative_path(const CgroupHierarchy& hierarchy, const CgroupRequest& request,
                                  bool unified) {
  const bool absolute = request.path.starts_with("/");
  const std::string inner = TRY(normal_path(request.path.empty() ? request.id : request.path));
  if (inner.empty()) return Error{"cgroup path '" + request.path + "' names no cgroup", EINVAL};
  if (absolute) return inner;
  const std::string own = TRY(normal_path(hierarchy.own));
  return (unified ? parent_of(own) : own) + inner;
}

// v1: entering a hierarchy costs about 0.1 ms over the life of a container. Who
// names a cgroup gets it in every one, as engines expect; who does not gets
// those without which a container is not confined or cannot be stopped as a
// whole, and the others when a limit needs them.
bool joined_at_once(const CgroupHierarchy& hierarchy, const CgroupLayout& layout,
                    const CgroupRequest& request) {
  if (!request.path.empty() || hierarchy.name.empty() || hierarchy.has("devices")) return true;
  return hierarchy.has("freezer") && layout.v2() == nullptr;
}

bool is_forbidden(const Error& error) {
  return error.code == EACCES || error.code == EPERM || error.code == EROFS;
}

// Entering needs the right to write cgroup.procs of the common parent too.
Result<void> check_can_enter(const CgroupPlace& place) {
  const std::string file = place.mount + parent_of(place.relative) + "/cgroup.procs";
  if (::access(file.c_str(), W_OK) != 0) return errno_error("write", file);
  return {};
}

}  // namespace

std::string membership(std::string_view proc_cgroup, std::string_view hierarchy) {
  const std::string wanted = ":" + std::string(hierarchy) + ":";
  while (!proc_cgroup.empty()) {
    const std::string_view line = proc_cgroup.substr(0, proc_cgroup.find('\n'));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && line.substr(colon).starts_with(wanted))
      return std::string(line.substr(colon + wanted.size()));
    proc_cgroup.remove_prefix(std::min(line.size() + 1, proc_cgroup.size()));
  }
  return {};
}

const CgroupPlace* Cgroup::Impl::v2_place() const {
  const auto found = std::ranges::find(places, std::string(), &CgroupPlace::name);
  return found == places.end() ? nullptr : &*found;
}

const CgroupPlace* Cgroup::Impl::main_place() const {
  if (const CgroupPlace* place = v2_place()) return place;
  const CgroupPlace* best = nullptr;
  for (const CgroupPlace& place : places)
    if (place.joined && (!best || place.has("freezer"))) best = &place;
  return best;
}

CgroupPlace* Cgroup::Impl::place_of(std::string_view controller) {
  const auto found = std::ranges::find_if(
      places, [&](const CgroupPlace& p) { return !p.name.empty() && p.has(controller); });
  return found == places.end() ? nullptr : &*found;
}

Result<void> Cgroup::Impl::make(CgroupPlace& place) {
  if (v2()) enable_controllers(place.mount, place.relative);
  std::vector<std::string> created;
  const Result<void> result = make_cgroup(place.mount, place.relative, created);
  made.insert(made.end(), created.begin(), created.end());
  TRY(result);
  place.reused = created.empty() || created.back() != place.path();
  if (place.reused) {
    const std::vector<pid_t> found = TRY(pids_below(place.path()));
    if (!found.empty())
      return Error{"cgroup '" + place.path() + "' is not empty: " + std::to_string(found.size()) +
                       " process(es) found",
                   EBUSY, "choose another cgroupsPath, or end those processes"};
  }
  if (place.has("cpuset")) TRY(fill_cpusets(place.reused ? std::vector{place.path()} : created));
  place.joined = true;
  return {};
}

Result<void> Cgroup::Impl::join_later(CgroupPlace& place) {
  TRY(make(place));
  if (fresh) return {};
  const CgroupPlace* main = main_place();
  if (!main || main == &place) return {};
  for (const pid_t pid : TRY(pids_below(main->path()))) {
    auto moved = write_cgroup_file(place.path(), "cgroup.procs", std::to_string(pid));
    if (!moved && moved.error().code != ESRCH) return moved;
  }
  return {};
}

void Cgroup::Impl::leave(CgroupPlace& place) {
  const std::string parent = place.mount + parent_of(place.relative);
  if (const auto pids = pids_below(place.path()))
    for (const pid_t pid : *pids)
      (void)write_cgroup_file(parent, "cgroup.procs", std::to_string(pid));
  (void)remove_cgroup(place.path());
  place.joined = false;
}

Result<void> Cgroup::Impl::plan_scope(const CgroupLayout& layout, const CgroupRequest& request) {
  if (!layout.unified())
    return Error{"the systemd cgroup manager needs cgroup v2", EOPNOTSUPP,
                 "use --cgroup-manager=cgroupfs on this host"};
  const bool user = ::geteuid() != 0;
  scope = TRY(scope_name(request.path, request.id, user));
  description = "container " + request.id;
  properties = TRY(scope_annotations(request.properties));
  const CgroupHierarchy& h = layout.hierarchies[0];
  // Where it will be; start() asks the kernel where it is.
  places.push_back({h.name, h.mount, slice_path(scope.slice) + "/" + scope.unit});
  return {};
}

Result<void> Cgroup::Impl::start(pid_t pid) {
  DbusProperties all = waiting ? TRY(scope_limits(*waiting)) : DbusProperties();
  // What was asked for by name wins over what we derive.
  std::erase_if(all, [&](const auto& p) {
    return std::ranges::find(properties, p.first, [](const auto& q) { return q.first; }) !=
           properties.end();
  });
  all.insert(all.end(), properties.begin(), properties.end());
  TRY(start_scope(scope, pid, description, all));
  CgroupPlace& place = places[0];
  place.joined = true;
  const std::string text = TRY(read_file("/proc/" + std::to_string(pid) + "/cgroup"));
  place.relative = membership(text, "");
  if (!waiting) return {};
  const Resources resources = *std::move(waiting);
  waiting.reset();
  return apply(resources);
}

void Cgroup::Impl::undo() noexcept {
  if (!scope.unit.empty() && !places.empty() && places[0].joined) {
    (void)kill_tree(places[0]);
    (void)stop_scope(scope.unit);
  }
  for (auto path = made.rbegin(); path != made.rend(); ++path) (void)::rmdir(path->c_str());
  made.clear();
}

// A cgroup that passes controllers on cannot hold processes (v2). A container
// that runs systemd makes its own one such; then the place is where its init is.
Result<std::string> Cgroup::Impl::directory_for(const CgroupPlace& place,
                                                const Where& where) const {
  for (const auto& [controller, sub] : where.sub)
    if (controller.empty() || (!place.name.empty() && place.has(controller)))
      return place.path() + TRY(normal_path(sub));
  if (where.beside == 0 || !place.name.empty()) return place.path();
  const auto passed_on = read_cgroup_file(place.path(), "cgroup.subtree_control");
  if (!passed_on || passed_on->empty()) return place.path();
  const std::string file = "/proc/" + std::to_string(where.beside) + "/cgroup";
  const std::string text = TRY(read_file(file));
  const std::string found = membership(text, "");
  const bool below = found == place.relative || found.starts_with(place.relative + "/");
  return below ? place.mount + found : place.path();
}

Cgroup::Cgroup(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cgroup::Cgroup(Cgroup&&) noexcept = default;

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  if (this == &other) return *this;
  if (impl_ && impl_->fresh) impl_->undo();
  impl_ = std::move(other.impl_);
  return *this;
}

Cgroup::~Cgroup() {
  if (impl_ && impl_->fresh) impl_->undo();
}

void Cgroup::keep() noexcept {
  impl_->fresh = false;
  impl_->made.clear();
}

Result<Cgroup> Cgroup::create(const CgroupLayout& layout, const CgroupRequest& request) {
  Cgroup cgroup(std::make_unique<Impl>());
  Impl& impl = *cgroup.impl_;
  impl.manager = request.manager;
  if (request.manager == CgroupManager::Disabled) return cgroup;
  impl.fresh = true;
  if (request.manager == CgroupManager::Systemd) {
    TRY(impl.plan_scope(layout, request));
    return cgroup;
  }
  for (const CgroupHierarchy& h : layout.hierarchies) {
    const std::string relative = TRY(relative_path(h, request, layout.unified()));
    impl.places.push_back({h.name, h.mount, relative});
  }
  if (impl.places.empty() && !request.optional)
    return Error{"no cgroup hierarchy is mounted", ENOENT,
                 "mount cgroup2 on /sys/fs/cgroup, or use --cgroup-manager=disabled"};
  for (std::size_t i = 0; i < impl.places.size(); ++i) {
    if (!joined_at_once(layout.hierarchies[i], layout, request)) continue;
    Result<void> made = impl.make(impl.places[i]);
    if (made && request.optional) made = check_can_enter(impl.places[i]);
    if (made) continue;
    if (!request.optional || !is_forbidden(made.error())) return std::move(made).error();
    impl.undo();
    impl.places.clear();
  }
  return cgroup;
}

Result<CgroupDoor> Cgroup::door(const Where& where) const {
  for (const auto& [controller, sub] : where.sub)
    if (!controller.empty() && (impl_->v2() || path_of(controller).empty()))
      return Error{"the container has no cgroup of the controller '" + controller + "'", EINVAL,
                   impl_->v2() ? "cgroup v2 has one cgroup for all: name its path only" : ""};
  CgroupDoor door;
  for (const CgroupPlace& place : impl_->places) {
    if (!place.joined) continue;
    const std::string directory = TRY(impl_->directory_for(place, where));
    if (place.name.empty())
      door.directory = TRY(open_directory(directory));
    else
      door.tasks.push_back(TRY(open_at(kCwd, directory + "/tasks", O_WRONLY)));
  }
  return door;
}

Result<void> Cgroup::add(pid_t pid, const Where& where) {
  if (!exists()) return {};
  if (impl_->manager == CgroupManager::Systemd && impl_->fresh && !impl_->places[0].joined)
    return impl_->start(pid);
  const std::string name = std::to_string(pid);
  const std::string text = TRY(read_file("/proc/" + name + "/cgroup"));
  for (const CgroupPlace& place : impl_->places) {
    if (!place.joined) continue;
    const std::string directory = TRY(impl_->directory_for(place, where));
    if (place.mount + membership(text, place.name) == directory) continue;
    TRY(write_cgroup_file(directory, "cgroup.procs", name));
  }
  return {};
}

bool Cgroup::exists() const {
  return !impl_->places.empty();
}

std::map<std::string, std::string> Cgroup::paths() const {
  std::map<std::string, std::string> out;
  for (const CgroupPlace& place : impl_->places)
    if (place.joined) out[place.name] = place.path();
  return out;
}

std::string Cgroup::path_of(std::string_view controller) const {
  if (impl_->v2()) return impl_->places[0].path();
  for (const CgroupPlace& place : impl_->places)
    if (place.joined && !place.name.empty() && place.has(controller)) return place.path();
  return {};
}
