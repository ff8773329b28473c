// SPDX-License-Identifier: Apache-2.0
#include "xattrs.h"

#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace {

constexpr auto kNotOurs = std::to_array<std::string_view>({
    "security.selinux",
    "security.evm",
    "security.ima",
    "system.nfs4_acl",
});
constexpr std::string_view kOverlay = "trusted.overlay.";
constexpr std::string_view kUserOverlay = "user.overlay.";

// Marks of this program's own on unpacked layers.
constexpr std::string_view kMarks = "trusted.layers.";
constexpr std::size_t kMostNames = 65536;  // the kernel's own limits
constexpr std::size_t kMostValue = 65536;

// `list` and `get` are the system calls for the one object in question.
template <class List, class Get>
Result<Xattrs> read_all_xattrs(List&& list, Get&& get, const std::string& path) {
  std::string names(4096, '\0');
  ssize_t size = list(names);
  if (size < 0 && errno == ERANGE) {
    names.resize(kMostNames);
    size = list(names);
  }
  Xattrs out;
  if (size < 0 && errno == EOPNOTSUPP) return out;
  if (size < 0) return errno_error("list extended attributes of", path);
  std::string value;
  std::string_view rest(names.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(name.size() + 1);
    if (!is_applied_xattr(name) || name.starts_with(kMarks)) continue;
    value.resize(kMostValue);
    const ssize_t n = get(name, value);
    if (n < 0 && errno == ENODATA) continue;  // removed meanwhile
    if (n < 0) return errno_error("read extended attribute '" + name + "' of", path);
    out.emplace_back(name, value.substr(0, static_cast<std::size_t>(n)));
  }
  std::ranges::sort(out);
  return out;
}

Error failed(const std::string& name, const std::string& path) {
  Error error = errno_error("set extended attribute '" + name + "' on", path);
  if (error.code == EOPNOTSUPP)
    error.hint = "the file system of the target does not support it; choose another one";
  return error;
}

}  // namespace

bool is_applied_xattr(std::string_view name) {
  return std::ranges::find(kNotOurs, name) == kNotOurs.end() && !name.starts_with(kOverlay) &&
         !name.starts_with(kUserOverlay);
}

Result<void> set_xattrs(FdRef file, const Xattrs& xattrs, const std::string& path) {
  for (const auto& [name, value] : xattrs) {
    if (!is_applied_xattr(name)) continue;
    if (::fsetxattr(file.get(), name.c_str(), value.data(), value.size(), 0) != 0)
      return failed(name, path);
  }
  return {};
}

Result<void> set_xattrs_at(FdRef dir, const std::string& name, const Xattrs& xattrs,
                           const std::string& path) {
  // There is no setxattrat(2) before Linux 6.13. The directory's own link in
  // /proc is the only one followed here: lsetxattr does not follow the last name.
  const std::string place = "/proc/self/fd/" + std::to_string(dir.get()) + "/" + name;
  for (const auto& [key, value] : xattrs) {
    if (!is_applied_xattr(key)) continue;
    if (::lsetxattr(place.c_str(), key.c_str(), value.data(), value.size(), 0) != 0)
      return failed(key, path);
  }
  return {};
}

Result<void> remove_other_xattrs(FdRef file, const Xattrs& xattrs, const std::string& path) {
  std::string list(4096, '\0');
  ssize_t size = ::flistxattr(file.get(), list.data(), list.size());
  if (size < 0 && errno == ERANGE) {
    list.resize(65536);  // the kernel's own limit
    size = ::flistxattr(file.get(), list.data(), list.size());
  }
  if (size < 0 && errno == EOPNOTSUPP) return {};
  if (size < 0) return errno_error("list extended attributes of", path);
  std::string_view rest(list.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(name.size() + 1);
    const bool stays =
        !is_applied_xattr(name) ||
        std::ranges::find(xattrs, name, &std::pair<std::string, std::string>::first) !=
            xattrs.end();
    if (!stays && ::fremovexattr(file.get(), name.c_str()) != 0 && errno != ENODATA)
      return errno_error("remove extended attribute '" + name + "' of", path);
  }
  return {};
}

Result<Xattrs> read_xattrs(FdRef file, const std::string& path) {
  const auto list = [&](std::string& out) {
    return ::flistxattr(file.get(), out.data(), out.size());
  };
  const auto get = [&](const std::string& name, std::string& out) {
    return ::fgetxattr(file.get(), name.c_str(), out.data(), out.size());
  };
  return read_all_xattrs(list, get, path);
}

Result<Xattrs> read_xattrs_at(FdRef dir, const std::string& name, const std::string& path) {
  // As in set_xattrs_at: only the directory's own link in /proc is followed.
  const std::string place = "/proc/self/fd/" + std::to_string(dir.get()) + "/" + name;
  const auto list = [&](std::string& out) {
    return ::llistxattr(place.c_str(), out.data(), out.size());
  };
  const auto get = [&](const std::string& key, std::string& out) {
    return ::lgetxattr(place.c_str(), key.c_str(), out.data(), out.size());
  };
  return read_all_xattrs(list, get, path);
}
