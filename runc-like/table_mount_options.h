// SPDX-License-Identifier: Apache-2.0
// table_mount_options.h - every mount option word of config.json, once.
//
// Parser, error hints, `features` and the unit test read this table. A word that
// is not here goes to the file system as its own option.
#pragma once

#include <linux/mount.h>
#include <sys/mount.h>

#include <cstdint>

#include "tables.h"

enum class OptionKind {
  Set,  // attribute of the mount
  Clear,
  SetAll,  // of the mount and all below it (5.12)
  ClearAll,
  Super,        // flag of the file system itself, under the name in `super`; value: MS_*
  Propagation,  // value: MS_*
  Bind,         // value 1: recursive
  Special,      // value: SpecialOption
};
enum SpecialOption : std::uint64_t {
  kNothing,
  kTmpCopyUp,
  kIdmap,
  kRecursiveIdmap,
  kCopySymlink,
  kSourceNoFollow,
  kDestinationNoFollow,
  kRemount
};

struct MountOption {
  std::string_view name;
  OptionKind kind;
  std::uint64_t value;
  std::string_view super = {};
};

inline constexpr auto kMountOptions = std::to_array<MountOption>({
    {"acl", OptionKind::Super, 0, "acl"},
    {"async", OptionKind::Super, 0, "async"},
    {"atime", OptionKind::Clear, MOUNT_ATTR_NOATIME},
    {"bind", OptionKind::Bind, 0},
    {"copy-symlink", OptionKind::Special, kCopySymlink},
    {"defaults", OptionKind::Special, kNothing},
    {"dest-nofollow", OptionKind::Special, kDestinationNoFollow},
    {"dev", OptionKind::Clear, MOUNT_ATTR_NODEV},
    {"diratime", OptionKind::Clear, MOUNT_ATTR_NODIRATIME},
    {"dirsync", OptionKind::Super, MS_DIRSYNC, "dirsync"},
    {"exec", OptionKind::Clear, MOUNT_ATTR_NOEXEC},
    {"idmap", OptionKind::Special, kIdmap},
    {"iversion", OptionKind::Super, MS_I_VERSION, "iversion"},
    {"lazytime", OptionKind::Super, MS_LAZYTIME, "lazytime"},
    {"loud", OptionKind::Special, kNothing},
    {"mand", OptionKind::Super, MS_MANDLOCK, "mand"},
    {"noacl", OptionKind::Super, 0, "noacl"},
    {"noatime", OptionKind::Set, MOUNT_ATTR_NOATIME},
    {"nodev", OptionKind::Set, MOUNT_ATTR_NODEV},
    {"nodiratime", OptionKind::Set, MOUNT_ATTR_NODIRATIME},
    {"noexec", OptionKind::Set, MOUNT_ATTR_NOEXEC},
    {"noiversion", OptionKind::Super, 0, "noiversion"},
    {"nolazytime", OptionKind::Super, 0, "nolazytime"},
    {"nomand", OptionKind::Super, 0, "nomand"},
    {"norelatime", OptionKind::Set, MOUNT_ATTR_STRICTATIME},
    {"nostrictatime", OptionKind::Clear, MOUNT_ATTR_STRICTATIME},
    {"nosuid", OptionKind::Set, MOUNT_ATTR_NOSUID},
    {"nosymfollow", OptionKind::Set, MOUNT_ATTR_NOSYMFOLLOW},
    {"private", OptionKind::Propagation, MS_PRIVATE},
    {"ratime", OptionKind::ClearAll, MOUNT_ATTR_NOATIME},
    {"rbind", OptionKind::Bind, 1},
    {"rdev", OptionKind::ClearAll, MOUNT_ATTR_NODEV},
    {"rdiratime", OptionKind::ClearAll, MOUNT_ATTR_NODIRATIME},
    {"relatime", OptionKind::Clear, MOUNT_ATTR__ATIME},
    {"remount", OptionKind::Special, kRemount},
    {"rexec", OptionKind::ClearAll, MOUNT_ATTR_NOEXEC},
    {"ridmap", OptionKind::Special, kRecursiveIdmap},
    {"rnoatime", OptionKind::SetAll, MOUNT_ATTR_NOATIME},
    {"rnodev", OptionKind::SetAll, MOUNT_ATTR_NODEV},
    {"rnodiratime", OptionKind::SetAll, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", OptionKind::SetAll, MOUNT_ATTR_NOEXEC},
    {"rnorelatime", OptionKind::SetAll, MOUNT_ATTR_STRICTATIME},
    {"rnostrictatime", OptionKind::ClearAll, MOUNT_ATTR_STRICTATIME},
    {"rnosuid", OptionKind::SetAll, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", OptionKind::SetAll, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", OptionKind::Set, MOUNT_ATTR_RDONLY},
    {"rprivate", OptionKind::Propagation, MS_PRIVATE | MS_REC},
    {"rrelatime", OptionKind::ClearAll, MOUNT_ATTR__ATIME},
    {"rro", OptionKind::SetAll, MOUNT_ATTR_RDONLY},
    {"rrw", OptionKind::ClearAll, MOUNT_ATTR_RDONLY},
    {"rshared", OptionKind::Propagation, MS_SHARED | MS_REC},
    {"rslave", OptionKind::Propagation, MS_SLAVE | MS_REC},
    {"rstrictatime", OptionKind::SetAll, MOUNT_ATTR_STRICTATIME},
    {"rsuid", OptionKind::ClearAll, MOUNT_ATTR_NOSUID},
    {"rsymfollow", OptionKind::ClearAll, MOUNT_ATTR_NOSYMFOLLOW},
    {"runbindable", OptionKind::Propagation, MS_UNBINDABLE | MS_REC},
    {"rw", OptionKind::Clear, MOUNT_ATTR_RDONLY},
    {"shared", OptionKind::Propagation, MS_SHARED},
    {"silent", OptionKind::Special, kNothing},
    {"slave", OptionKind::Propagation, MS_SLAVE},
    {"src-nofollow", OptionKind::Special, kSourceNoFollow},
    {"strictatime", OptionKind::Set, MOUNT_ATTR_STRICTATIME},
    {"suid", OptionKind::Clear, MOUNT_ATTR_NOSUID},
    {"symfollow", OptionKind::Clear, MOUNT_ATTR_NOSYMFOLLOW},
    {"sync", OptionKind::Super, MS_SYNCHRONOUS, "sync"},
    {"tmpcopyup", OptionKind::Special, kTmpCopyUp},
    {"unbindable", OptionKind::Propagation, MS_UNBINDABLE},
});
static_assert(sorted_by_name(kMountOptions));
static_assert(find_row(kMountOptions, "ro")->value == MOUNT_ATTR_RDONLY);
static_assert(find_row(kMountOptions, "nosiud") == nullptr);

// Words that common file systems know, for hints only: the kernel decides.
inline constexpr auto kFileSystemWords = std::to_array<std::string_view>({
    "context",    "defcontext", "fscontext",    "gid",         "gidmap",    "hidepid",
    "huge",       "index",      "inode32",      "inode64",     "lowerdir",  "metacopy",
    "mode",       "mpol",       "newinstance",  "noswap",      "nr_blocks", "nr_inodes",
    "nsdelegate", "ptmxmode",   "redirect_dir", "rootcontext", "size",      "subset",
    "uid",        "upperdir",   "userxattr",    "volatile",    "workdir",   "xino",
});
