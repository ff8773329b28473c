// SPDX-License-Identifier: Apache-2.0
// import.h - images from elsewhere into the store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference.h"
#include "store.h"

struct Imported {
  std::string name;
  Descriptor manifest;
  std::optional<Digest> replaced;  // the image that had the name before
};

struct ImportOptions {
  std::optional<std::string> name = {};
  Platform platform = host_platform();
  std::uint64_t most_bytes = std::uint64_t{1} << 40;  // decompressed
};

// Nothing has a name in the store before all of it is there and verified.
Result<std::vector<Imported>> import_source(const Store& store, const Source& source,
                                            const ImportOptions& options);

// The kinds of source, each in a file of its own.
Result<std::vector<Imported>> import_layout(const Store& store, const Source& source,
                                            const ImportOptions& options);
Result<std::vector<Imported>> import_oci_archive(const Store& store, const Source& source,
                                                 const ImportOptions& options);
Result<std::vector<Imported>> import_docker_archive(const Store& store, const Source& source,
                                                    const ImportOptions& options);
Result<std::vector<Imported>> import_tar(const Store& store, const Source& source,
                                         const ImportOptions& options);

// The files of an archive (compressed or not; "-" is standard input) in a
// directory of the store's own, where its names can do no harm.
Result<TempDir> unpack_archive(const Store& store, const std::string& path,
                               std::uint64_t most_bytes);
Result<UniqueFd> open_input(const std::string& path);
