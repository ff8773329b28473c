// SPDX-License-Identifier: Apache-2.0
// bundle_config.h - the configuration of the container that a hook is called for, and
// its files as the host sees them.
#pragma once

#include <optional>
#include <string>

#include "common/fd.h"
#include "common/json.h"
#include "common/oci_state.h"

// config.json of the state's bundle.
Result<JsonDocument> read_bundle_config(const OciState& state);

// The files of a container before its program runs (createRuntime). Nothing of the
// image is trusted: its links stay inside its root, and only regular files are
// read and written.
class ContainerFiles {
 public:
  static Result<ContainerFiles> open(const OciState& state, const JsonView& config);

  // Nothing when there is no such file.
  Result<std::optional<std::string>> read(const std::string& path) const;
  // A file that is mounted over keeps its inode; one of the root file system is
  // replaced, so that another name of it (a hard link) keeps its content.
  Result<void> write(const std::string& path, std::string_view text) const;

 private:
  struct Place {
    std::string root;       // directory that the path is looked up in
    std::string path;       // below it
    bool in_place = false;  // it is mounted: the inode has to stay
  };
  Result<Place> place_of(const std::string& path) const;
  // Of a mount's source: files that others use too are not ours to change.
  bool belongs_to_container(const std::string& source) const;

  struct Bind {
    std::string destination;
    std::string source;
    bool bind = false;
  };
  std::string id_;
  std::string bundle_;
  std::string rootfs_;
  std::vector<Bind> mounts_ = {};
  unsigned owner_uid_ = 0;  // of root inside, on the host
  unsigned owner_gid_ = 0;
};

// A path of the configuration: relative ones start at the bundle.
std::string absolute_in(const std::string& bundle, const std::string& path);
