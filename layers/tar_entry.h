// SPDX-License-Identifier: Apache-2.0
// tar_entry.h - one member of a tar archive, whatever dialect described it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

enum class TarType { File, HardLink, Symlink, Character, Block, Directory, Fifo };

struct TarExtent {  // where a piece of a sparse file's data belongs
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct TarEntry {
  std::string name;  // as it stands in the archive
  std::string link;  // target of a hard or symbolic link
  TarType type = TarType::File;
  mode_t mode = 0;  // permission bits, setuid, setgid and sticky
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime = {};
  std::uint64_t size = 0;         // bytes of data in the archive
  std::uint64_t real_size = 0;    // size of the file; differs from `size` when sparse
  std::vector<TarExtent> sparse;  // empty: the data is the file
  bool is_sparse = false;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;  // name, raw value
};
