// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "common/json.h"
#include "common/temp_dir.h"

std::string_view status_name(Status status) {
  switch (status) {
    case Status::Creating:
      return "creating";
    case Status::Created:
      return "created";
    case Status::Running:
      return "running";
    case Status::Paused:
      return "paused";
    case Status::Stopped:
      return "stopped";
  }
  return "stopped";
}

Result<void> check_id(const std::string& id) {
  const bool letters = std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '.';
  });
  if (letters && !id.empty() && id != "." && id != ".." && id.size() <= 1024) return {};
  return Error{"invalid container ID format: '" + id + "'", 0,
               "letters, digits, '_', '+', '-' and '.' are allowed"};
}

std::optional<std::uint64_t> process_start_time(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!text) return std::nullopt;
  const std::size_t name_end = text->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text->size()) return std::nullopt;
  // A zombie is no process any more: it only waits to be counted.
  if ((*text)[name_end + 2] == 'Z' || (*text)[name_end + 2] == 'X') return std::nullopt;
  std::size_t at = name_end + 2;
  for (int field = 3; field < 22 && at != std::string::npos; ++field) {
    at = text->find(' ', at);
    if (at != std::string::npos) ++at;
  }
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t value = 0;
  (void)std::from_chars(text->data() + at, text->data() + text->size(), value);
  return value;
}

Container::Container(Container&& other) noexcept
    : root_(std::move(other.root_)),
      path_(std::move(other.path_)),
      directory_(std::move(other.directory_)),
      lock_(std::move(other.lock_)),
      record_(std::move(other.record_)),
      fresh_(std::exchange(other.fresh_, false)),
      complete_(other.complete_) {}

Container::~Container() {
  if (fresh_) (void)remove();  // nothing useful can be done about a failure here
}

Result<Container> Container::create(const std::string& root, const std::string& id) {
  TRY(check_id(id));
  TRY(make_directories(root, 0711));
  const std::string path = root + "/" + id;
  if (::mkdir(path.c_str(), 0711) != 0) {
    if (errno == EEXIST)
      return Error{"container with given ID already exists: '" + id + "'", 0,
                   "use another ID, or delete that one"};
    return errno_error("create state directory", path);
  }
  UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return errno_error("open state directory", path);
  FileLock lock = TRY(FileLock::take(directory, "lock"));
  Container container(root, id, std::move(directory), std::move(lock));
  container.fresh_ = true;
  return container;
}

Result<Container> Container::open(const std::string& root, const std::string& id, bool exclusive) {
  TRY(check_id(id));
  const std::string path = root + "/" + id;
  UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory && errno == ENOENT)
    return Error{"container does not exist: '" + id + "'", 0, "see 'list', and --root"};
  if (!directory) return errno_error("open state directory", path);
  std::optional<FileLock> lock;
  if (exclusive) lock = TRY(FileLock::take(directory, "lock"));
  Container container(root, id, std::move(directory), std::move(lock));
  TRY(container.read());
  return container;
}

namespace {

Result<Record> record_from(const JsonView& root) {
  Record record;
  const JsonView version = TRY(root.at("ociVersion"));
  const JsonView id = TRY(root.at("id"));
  const JsonView bundle = TRY(root.at("bundle"));
  const JsonView rootfs = TRY(root.at("rootfs"));
  const JsonView created = TRY(root.at("created"));
  const JsonView pid = TRY(root.at("pid"));
  const JsonView start = TRY(root.at("startTime"));
  const JsonView owner = TRY(root.at("owner"));
  const JsonView namespaces = TRY(root.at("namespaces"));
  const JsonView cgroup = TRY(root.at("cgroup"));
  record.oci_version = TRY(version.string());
  record.id = TRY(id.string());
  record.bundle = TRY(bundle.string());
  record.rootfs = TRY(rootfs.string());
  record.created = TRY(created.string());
  record.pid = static_cast<pid_t>(TRY(pid.integer()));
  record.start_time = TRY(start.unsigned_integer());
  record.owner = static_cast<unsigned>(TRY(owner.unsigned_integer()));
  record.namespaces = TRY(namespaces.unsigned_integer());
  record.cgroup = cgroup.json();
  if (const auto ready = root.find("readyStep"))
    record.ready_step = static_cast<unsigned>(TRY(ready->unsigned_integer()));
  if (const auto plain = root.find("plainStart")) record.plain_start = TRY(plain->boolean());
  if (const auto annotations = root.find("annotations"))
    for (const auto& [key, value] : TRY(annotations->members()))
      record.annotations[key] = TRY(value.string());
  return record;
}

void write_annotations(JsonWriter& json, const Record& record) {
  json.key("annotations").begin_object();
  for (const auto& [key, value] : record.annotations) json.member(key, value);
  json.end_object();
}

}  // namespace

Result<void> Container::read() {
  const auto text = read_file_at(directory_, "state.json");
  if (!text && text.error().code == ENOENT) return {};  // create was interrupted, or is at work
  if (!text) return Error(text.error());
  const JsonDocument document = TRY(JsonDocument::parse(path_ + "/state.json", *text));
  record_ = TRY(record_from(document.root()));
  complete_ = true;
  return {};
}

Result<void> Container::write(const Record& record) {
  JsonWriter json;
  json.begin_object();
  json.member("ociVersion", record.oci_version).member("id", record.id);
  json.member("bundle", record.bundle).member("rootfs", record.rootfs);
  json.member("created", record.created).member("pid", record.pid);
  json.member("startTime", record.start_time).member("owner", record.owner);
  json.member("namespaces", record.namespaces);
  json.member("readyStep", record.ready_step).member("plainStart", record.plain_start);
  write_annotations(json, record);
  json.key("cgroup").raw(record.cgroup.empty() ? "{}" : record.cgroup);
  json.end_object();
  TRY(replace_file_at(directory_, "state.json", json.take(), 0600));
  record_ = record;
  complete_ = true;
  return {};
}

Result<void> Container::remove() {
  fresh_ = false;
  return remove_tree(kCwd, path_);
}

Result<Cgroup> Container::cgroup() const {
  const JsonDocument document = TRY(JsonDocument::parse(path_ + "/state.json", record_.cgroup));
  return Cgroup::from_json(document.root());
}

std::optional<UniqueFd> Container::process() const {
  if (record_.pid <= 0) return std::nullopt;
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, record_.pid, 0)));
  // Held first, compared after: the number cannot be given away in between.
  if (!fd || process_start_time(record_.pid) != record_.start_time) return std::nullopt;
  return fd;
}

bool Container::waits_for_start() const {
  return ::faccessat(directory_.get(), kStartSocket, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Status Container::status_but_paused() const {
  if (!complete_) {
    const auto lock = FileLock::try_take(directory_, "lock");
    return lock && !*lock ? Status::Creating : Status::Stopped;
  }
  if (!process()) return Status::Stopped;
  if (waits_for_start()) return Status::Created;
  if (::faccessat(directory_.get(), kPendingSocket, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    return Status::Creating;
  return Status::Running;
}

Status Container::status() const {
  const Status known = status_but_paused();
  if (known != Status::Running && known != Status::Created) return known;
  const auto group = cgroup();
  if (!group) return known;
  const auto frozen = group->frozen();
  return frozen && *frozen ? Status::Paused : known;
}

Result<std::vector<std::string>> list_containers(const std::string& root) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(root.c_str()), ::closedir);
  if (!dir && errno == ENOENT) return out;
  if (!dir) return errno_error("open directory", root);
  while (const dirent* entry = ::readdir(dir.get()))
    if (entry->d_name[0] != '.' && check_id(entry->d_name)) out.emplace_back(entry->d_name);
  std::ranges::sort(out);
  return out;
}

OciState oci_state(const Record& record, Status status) {
  return {record.oci_version,
          record.id,
          std::string(status_name(status)),
          status == Status::Stopped ? 0 : record.pid,
          record.bundle,
          record.annotations};
}

std::string state_json(const Record& record, Status status) {
  JsonWriter json(JsonWriter::Style::TwoSpaces);
  json.begin_object();
  json.member("ociVersion", record.oci_version).member("id", record.id);
  json.member("pid", status == Status::Stopped ? 0 : record.pid);
  json.member("status", status_name(status));
  json.member("bundle", record.bundle).member("rootfs", record.rootfs);
  json.member("created", record.created);
  if (!record.annotations.empty()) write_annotations(json, record);
  json.member("owner", "");
  json.end_object();
  return json.take();
}

namespace {

// By way of our own descriptor: a socket's path must be shorter than a state
// directory's may be.
Result<sockaddr_un> socket_address(FdRef directory, const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name;
  if (path.size() >= sizeof address.sun_path) return Error{"socket '" + name + "'", ENAMETOOLONG};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<UniqueFd> new_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("create", "socket");
  return fd;
}

}  // namespace

Result<UniqueFd> bind_socket(FdRef directory, const std::string& name) {
  const sockaddr_un address = TRY(socket_address(directory, name));
  UniqueFd fd = TRY(new_socket());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("bind socket", name);
  if (::listen(fd.get(), 4) != 0) return errno_error("listen on socket", name);
  return fd;
}

Result<UniqueFd> connect_socket(FdRef directory, const std::string& name) {
  const sockaddr_un address = TRY(socket_address(directory, name));
  UniqueFd fd = TRY(new_socket());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("connect to socket", name);
  return fd;
}
