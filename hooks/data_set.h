// SPDX-License-Identifier: Apache-2.0
// data_set.h - configuration that outlives containers: a directory with the variables
// and the files of whatever container is bound to it.
//
//   NAME/env          KEY=VALUE lines, or a directory with one file per variable
//   NAME/files/…      files, each at its path in the container
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json.h"

struct DataFile {
  std::string source;       // absolute, on the host
  std::string destination;  // absolute, in the container
};

struct DataSet {
  std::vector<std::pair<std::string, std::string>> env = {};
  std::vector<DataFile> files = {};
};

// Lines "KEY=VALUE"; empty ones and those that begin with '#' mean nothing. Pure.
Result<std::vector<std::pair<std::string, std::string>>> parse_env_lines(const std::string& name,
                                                                         std::string_view text);

Result<DataSet> read_data_set(const std::string& directory);

struct Binding {
  bool keep = false;      // variables that the configuration has stay as they are
  bool writable = false;  // files are mounted for writing too
};

// The configuration with the set's variables and one bind mount for each file. Pure.
Result<std::string> bind_data(const JsonView& config, const DataSet& set, const Binding& binding);
