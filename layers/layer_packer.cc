// SPDX-License-Identifier: Apache-2.0
#include "layer_packer.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <utility>

#include "common/beneath.h"
#include "common/cli.h"

#include "file_facts.h"
#include "tar_writer.h"
#include "xattrs.h"

namespace {

constexpr int kOpenFile = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
// Fewer zeros than this are cheaper than a member that not every reader knows
// (image-spec, layer.md: sparse files should not be used).
constexpr std::uint64_t kWorthwhileHoles = std::uint64_t{16} << 20;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

TarType type_of(mode_t mode) {
  if (S_ISDIR(mode)) return TarType::Directory;
  if (S_ISLNK(mode)) return TarType::Symlink;
  if (S_ISCHR(mode)) return TarType::Character;
  if (S_ISBLK(mode)) return TarType::Block;
  if (S_ISFIFO(mode)) return TarType::Fifo;
  return TarType::File;
}

// The pieces of a file that are no holes.
Result<std::vector<TarExtent>> extents_of(FdRef file, std::uint64_t size) {
  std::vector<TarExtent> out;
  const auto end = static_cast<off_t>(size);
  for (off_t at = 0; at < end;) {
    const off_t data = ::lseek(file.get(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data < 0) return errno_error("find holes in", "file");
    const off_t hole = std::min(::lseek(file.get(), data, SEEK_HOLE), end);
    if (hole < 0) return errno_error("find holes in", "file");
    if (data >= end) break;
    out.push_back({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
    at = hole;
  }
  return out;
}

class Packer {
 public:
  Packer(FdRef root, const PackOptions& options, ByteSink& sink)
      : root_(root), options_(&options), tar_(sink) {}

  Result<void> add(const Change& change) {
    if (change.kind == Change::Kind::Deleted) return whiteout(change.path);
    if (change.path.empty()) return add_directory(root_, "./");
    TRY(enter(parent_of(change.path)));
    const std::string name = change.path.substr(change.path.rfind('/') + 1);
    struct stat st = {};
    if (::fstatat(dir_.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      return errno_error("stat", change.path);
    if (S_ISREG(st.st_mode)) return add_file(name, change.path);
    if (S_ISDIR(st.st_mode)) {
      const UniqueFd dir = TRY(open_at(dir_, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      return add_directory(dir, change.path + "/");
    }
    return add_other(name, change.path, st);
  }
  Result<void> finish() { return tar_.finish(); }

 private:
  Result<void> enter(const std::string& path) {
    if (dir_ && path == dir_path_) return {};
    dir_ = TRY(open_beneath(root_, path.empty() ? "." : path, O_PATH | O_DIRECTORY));
    dir_path_ = path;
    return {};
  }

  TarEntry entry_of(const struct stat& st, const std::string& name) const {
    TarEntry out;
    out.name = name;
    out.type = type_of(st.st_mode);
    out.mode = st.st_mode & 07777U;
    out.uid = st.st_uid;
    out.gid = st.st_gid;
    // Whole seconds, as all tools write them: what reads a layer need not know more.
    out.mtime.tv_sec =
        options_->latest ? std::min(st.st_mtim.tv_sec, *options_->latest) : st.st_mtim.tv_sec;
    return out;
  }

  Result<void> whiteout(const std::string& path) {
    const std::string parent = parent_of(path);
    TarEntry out;
    out.name = (parent.empty() ? "" : parent + "/") + ".wh." + path.substr(path.rfind('/') + 1);
    out.mode = 0;
    return tar_.member(out);
  }

  Result<void> add_directory(FdRef dir, const std::string& name) {
    struct stat st = {};
    if (::fstat(dir.get(), &st) != 0) return errno_error("stat", name);
    TarEntry out = entry_of(st, name);
    out.xattrs = TRY(read_xattrs(dir, name));
    return tar_.member(out);
  }

  // True when the file is in the layer already, under another name.
  Result<bool> linked(const struct stat& st, const std::string& path) {
    if (st.st_nlink < 2) return false;
    const auto [first, is_new] = first_names_.try_emplace({st.st_dev, st.st_ino}, path);
    if (is_new) return false;
    TarEntry out = entry_of(st, path);
    out.type = TarType::HardLink;
    out.link = first->second;
    TRY(tar_.member(out));
    return true;
  }

  Result<void> add_other(const std::string& name, const std::string& path, const struct stat& st) {
    if (TRY(linked(st, path))) return {};
    TarEntry out = entry_of(st, path);
    if (out.type == TarType::Symlink) out.link = TRY(read_link_at(dir_, name));
    if (out.type == TarType::Character || out.type == TarType::Block) {
      out.major = ::major(st.st_rdev);
      out.minor = ::minor(st.st_rdev);
    }
    out.xattrs = TRY(read_xattrs_at(dir_, name, path));
    return tar_.member(out);
  }

  Result<void> add_file(const std::string& name, const std::string& path) {
    const UniqueFd file(::openat(dir_.get(), name.c_str(), kOpenFile));
    if (!file) return errno_error("open", path);
    struct stat st = {};
    if (::fstat(file.get(), &st) != 0) return errno_error("stat", path);
    if (!S_ISREG(st.st_mode)) return Error{"'" + path + "' was replaced while it was read"};
    if (TRY(linked(st, path))) return {};
    TarEntry out = entry_of(st, path);
    out.xattrs = TRY(read_xattrs(file, path));
    out.size = out.real_size = static_cast<std::uint64_t>(st.st_size);
    auto written = add_content(file, st, out);
    if (!written) return std::move(written).error().in("'" + path + "'");
    return {};
  }

  Result<void> add_content(FdRef file, const struct stat& st, TarEntry& entry) {
    const std::uint64_t stored = static_cast<std::uint64_t>(st.st_blocks) * 512;
    if (entry.real_size < stored + kWorthwhileHoles) {
      TRY(tar_.member(entry));
      return tar_.data_from(file, 0, entry.real_size);
    }
    entry.is_sparse = true;
    entry.sparse = TRY(extents_of(file, entry.real_size));
    entry.size = 0;
    for (const TarExtent& extent : entry.sparse) entry.size += extent.length;
    // Readers take the size of the file from the end of the last piece.
    if (entry.sparse.empty() ||
        entry.sparse.back().offset + entry.sparse.back().length < entry.real_size)
      entry.sparse.push_back({entry.real_size, 0});
    TRY(tar_.member(entry));
    for (const TarExtent& extent : entry.sparse)
      TRY(tar_.data_from(file, extent.offset, extent.length));
    return {};
  }

  FdRef root_;
  const PackOptions* options_;
  TarWriter tar_;
  UniqueFd dir_;
  std::string dir_path_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

}  // namespace

PackOptions pack_options() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");  // NOLINT(concurrency-mt-unsafe): at start
  const auto seconds = epoch != nullptr ? parse_integer(epoch) : std::nullopt;
  return {seconds ? std::optional<time_t>(*seconds) : std::nullopt};
}

Result<void> pack_layer(FdRef root, const std::vector<Change>& changes, const PackOptions& options,
                        ByteSink& sink) {
  Packer packer(root, options, sink);
  for (const Change& change : changes) TRY(packer.add(change));
  return packer.finish();
}
