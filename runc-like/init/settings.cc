// SPDX-License-Identifier: Apache-2.0
// settings.cc - kernel settings, limits, and what the process finds when it starts.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/resource.h>
#include <linux/stat.h>

#include "init.h"

namespace init {

namespace {

// A file of our own procfs: no link followed, no mount crossed.
long write_proc(long proc, const char* folder, const char* path, const char* value) noexcept {
  const open_how into = {O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                         RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};
  const Fd dir(call(__NR_openat2, proc, folder, &into, sizeof into));
  if (!dir.ok()) return dir.get();
  const open_how how = {O_WRONLY | O_CLOEXEC, 0,
                        RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
  const Fd file(call(__NR_openat2, dir.get(), path, &how, sizeof how));
  if (!file.ok()) return file.get();
  const long n = call(__NR_write, file.get(), value, length(value));
  return n < 0 ? n : 0;
}

}  // namespace

long Init::sysctl(const Step& step) noexcept {
  return write_proc(proc_, "sys", text(step.text[0]), text(step.text[1]));
}

// "self" is a link of procfs itself.
long Init::label(const Step& step) noexcept {
  return write_proc(proc_, "self/attr", text(step.text[0]), text(step.text[1]));
}

long Init::rlimit(const Step& step) noexcept {
  const uint64_t limits[2] = {step.arg[0], step.arg[1]};
  return call(__NR_prlimit64, 0, step.flags, limits, nullptr);
}

// So that /proc/self/fd/1 can be opened again by a user other than root. Only
// pipes and sockets, which nobody else names: never a file or a device.
long Init::own_stdio(const Step& step) noexcept {
  for (int fd = 0; fd < 3; ++fd) {
    struct statx info = {};
    if (call(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) < 0) continue;
    const unsigned type = info.stx_mode & S_IFMT;
    if ((type == S_IFIFO || type == S_IFSOCK) && info.stx_uid != step.arg[0])
      (void)call(__NR_fchown, fd, step.arg[0], -1);
  }
  return 0;
}

long Init::working_directory(const Step& step) noexcept {
  const char* path = text(step.text[0]);
  const bool final_try = step.flags != 0;
  if (!final_try) {
    const long root = call(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return root;
    root_ = root;
    // Through the root as it is now, so that no magic link leads out (a leaked
    // descriptor in /proc/self/fd has done that elsewhere).
    const Fd made(make_target(path + 1, Kind::Directory));
    const long moved = made.ok() ? call(__NR_fchdir, made.get()) : made.get();
    arrived_ = moved >= 0;
    if (moved != -ENOTDIR && moved != -ELOOP) return 0;  // else: again, as the user
    detail_ = moved == -ELOOP ? wire::kOutsideRoot : wire::kPlain;
    return moved;
  }
  if (!arrived_) {
    const Fd dir(in_root(path + 1, O_PATH | O_DIRECTORY));
    const long moved = dir.ok() ? call(__NR_fchdir, dir.get()) : dir.get();
    if (moved < 0) return moved;
  }
  // "(unreachable)…" is what the kernel says of a directory outside our root.
  const long n = call(__NR_getcwd, g_path, sizeof g_path);
  if (n == -ENOENT || (n > 0 && g_path[0] != '/')) {
    detail_ = wire::kOutsideRoot;
    return -EPERM;
  }
  return n < 0 ? n : 0;
}

namespace {

// The home directory in a line "name:x:UID:GID:comment:HOME:shell", or nullptr.
char* home_in(char* line, uint64_t uid) noexcept {
  char* field[7] = {line};
  int count = 1;
  for (char* c = line; *c != '\0'; ++c) {
    if (*c != ':') continue;
    *c = '\0';
    if (count < 7) field[count] = c + 1;
    ++count;
  }
  if (count < 6 || field[2][0] == '\0') return nullptr;
  uint64_t number = 0;
  for (const char* c = field[2]; *c != '\0'; ++c) {
    if (*c < '0' || *c > '9' || number > 0xffffffffU) return nullptr;
    number = number * 10 + static_cast<uint64_t>(*c - '0');
  }
  return number == uid && field[5][0] == '/' ? field[5] : nullptr;
}

const char* find_home(char* at, uint64_t uid) noexcept {
  while (*at != '\0') {
    char* end = at;
    while (*end != '\0' && *end != '\n') ++end;
    const bool more = *end == '\n';
    *end = '\0';
    if (const char* home = home_in(at, uid)) return home;
    at = more ? end + 1 : end;
  }
  return "/";
}

char g_home[512] = "HOME=";

}  // namespace

long Init::home(const Step& step) noexcept {
  long size = 0;
  {
    const Fd file(call(__NR_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (file.ok()) size = call(__NR_read, file.get(), g_buffer, sizeof g_buffer - 1);
  }
  g_buffer[size > 0 ? size : 0] = '\0';
  const char* home = find_home(g_buffer, step.arg[0]);
  if (length(home) + 6 > sizeof g_home) home = "/";
  size_t i = 0;
  for (; home[i] != '\0'; ++i) g_home[5 + i] = home[i];
  g_home[5 + i] = '\0';
  // The place is in our private copy of the plan, which is writable.
  const char** envp = reinterpret_cast<const char**>(wire::kPlanAddress + header_->envp);
  envp[header_->home_slot] = g_home;
  return 0;
}

}  // namespace init
