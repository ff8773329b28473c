// SPDX-License-Identifier: Apache-2.0
// program.cc - finding the container's program, and becoming it.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "init.h"

namespace init {

namespace {

constexpr int kExecutable = 1;  // X_OK

// 0 when it could be executed by who we are now.
long executable(const char* path) noexcept {
  struct statx info = {};
  const long got = call(__NR_statx, AT_FDCWD, path, 0, STATX_TYPE, &info);
  if (got < 0) return got;
  if ((info.stx_mode & S_IFMT) == S_IFDIR) return -EISDIR;
  if ((info.stx_mode & S_IFMT) != S_IFREG) return -EACCES;
  return call(__NR_faccessat2, AT_FDCWD, path, kExecutable, AT_EACCESS);
}

}  // namespace

// As execvp: a name without '/' is looked up in the container's PATH; a file
// that may not be executed is remembered, but one further on may be better.
long Init::search(const char* name) noexcept {
  const size_t size = length(name);
  long answer = -ENOENT;
  for (const char* at = text(header_->search_path);; ++at) {
    size_t n = 0;
    while (at[n] != '\0' && at[n] != ':') ++n;
    if (n + size + 2 <= sizeof g_path && n > 0) {
      for (size_t i = 0; i < n; ++i) g_path[i] = at[i];
      g_path[n] = '/';
      for (size_t i = 0; i <= size; ++i) g_path[n + 1 + i] = name[i];
      const long found = executable(g_path);
      if (found == 0) return 0;
      if (found == -EACCES) answer = found;
    }
    at += n;
    if (*at == '\0') return answer;
  }
}

// Before "created": whoever asked for a program that is not there learns it
// from create, as engines expect.
long Init::find_program() noexcept {
  const char* name = pointers(header_->argv)[0];
  for (const char* c = name; *c != '\0'; ++c) {
    if (*c != '/') continue;
    const size_t size = length(name);
    if (size >= sizeof g_path) return -ENAMETOOLONG;
    for (size_t i = 0; i <= size; ++i) g_path[i] = name[i];
    return executable(g_path);
  }
  const long found = search(name);
  if (found == -ENOENT) detail_ = wire::kNotFoundInPath;
  return found;
}

long Init::execute() noexcept {
  return call(__NR_execve, g_path, pointers(header_->argv), pointers(header_->envp));
}

}  // namespace init
