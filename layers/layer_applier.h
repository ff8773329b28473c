// SPDX-License-Identifier: Apache-2.0
// layer_applier.h - puts the members of a layer's tar into a directory.
//
// Two forms:
//   Flat     the layer is merged into what the lower ones left: whiteouts delete.
//   Overlay  the layer stands alone, in the form that overlayfs reads: whiteouts
//            are character devices 0:0, opaque directories carry an attribute.
//
// Rules (image-spec, layer.md): an entry replaces what has its name, except that
// a directory on a directory only changes its attributes; whiteouts touch lower
// layers only, wherever they stand in this one; a hard link may name a file of a
// lower layer; the times of directories are set when the layer is complete.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/fd.h"

#include "tar_entry.h"
#include "tar_reader.h"
#include "target_tree.h"

enum class LayerForm { Flat, Overlay };

struct ApplyOptions {
  LayerForm form = LayerForm::Flat;
  bool lowest = true;       // Flat: nothing lies below, so whiteouts have no meaning
  bool files_only = false;  // an archive, not a root: only files, directories and links
  bool whiteouts = true;    // a name that begins with ".wh." deletes
  std::uint64_t most_entries = std::uint64_t{1} << 22;
};

enum class Applied {
  Complete,
  // Overlay: the layer cannot be understood alone. It leaves out directories
  // above its entries or links to a file of a lower layer. What has been
  // written is of no use.
  NeedsLower,
};

// Modes are set as they are created: the process's umask must be 0.
class LayerApplier final : private TargetTree::Listener {
 public:
  LayerApplier(FdRef root, ApplyOptions options);

  Result<Applied> apply(TarReader& tar);
  // Whether the layer said what the root itself is like.
  bool had_root_entry() const { return had_root_entry_; }

 private:
  using Link = std::pair<std::string, std::string>;  // clean name, clean target

  Result<void> entered(const std::string& path, FdRef dir, const struct stat& st,
                       bool made) override;
  Result<bool> in_the_way(FdRef dir, const std::string& name, const std::string& path) override;

  Result<void> apply_entry(TarReader& tar, TarEntry& entry);
  Result<void> apply_root(const TarEntry& entry);
  Result<void> apply_file(TarReader& tar, const TarEntry& entry, const std::string& name);
  Result<void> apply_directory(const TarEntry& entry, const std::string& name);
  Result<void> apply_symlink(const TarEntry& entry, const std::string& name);
  Result<void> apply_node(const TarEntry& entry, const std::string& name);
  Result<bool> apply_link(const std::string& path, const std::string& target);
  Result<void> apply_deferred_links();

  Result<void> apply_whiteout(const std::string& path, std::string_view base);
  Result<void> whiteout_flat(const std::string& path);
  Result<void> whiteout_overlay(const std::string& path);
  Result<void> opaque(const std::string& path);
  Result<void> make_opaque(FdRef dir, const std::string& path);
  Result<bool> clear_lower(FdRef dir, const std::string& name, const std::string& path);
  Result<bool> clear_lower_children(FdRef dir, const std::string& path);

  Result<void> make_room(const std::string& name);
  Result<void> remove_existing(FdRef dir, const std::string& name, const std::string& path);
  template <class Create>
  Result<void> create(const std::string& name, Create&& make);

  Result<void> write_data(TarReader& tar, const TarEntry& entry, FdRef file);
  Result<void> write_sparse(TarReader& tar, const TarEntry& entry, FdRef file);
  Result<void> set_owner_and_mode(FdRef file, const TarEntry& entry, bool fresh);
  Result<void> finish_unopened(const TarEntry& entry, const std::string& name);
  Result<void> restore_directory_times();
  mode_t permissions_of(const TarEntry& entry) const;
  void note_made(const std::string& path);
  bool made_here(const std::string& path) const;

  ApplyOptions options_;
  TargetTree tree_;
  TargetTree links_;  // where the targets of hard links are looked up
  uid_t our_uid_;
  gid_t our_gid_;

  // Of the current layer:
  std::map<std::string, timespec> directory_times_;
  std::unordered_set<std::uint64_t> made_;  // hashes of paths, Flat above the lowest layer only
  std::unordered_set<std::string> opaque_;  // Overlay
  std::vector<Link> deferred_;
  bool needs_lower_ = false;
  bool had_root_entry_ = false;
  bool inherited_acls_ = false;  // a directory with a default ACL exists
};
