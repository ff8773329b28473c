// SPDX-License-Identifier: Apache-2.0
// bundle_options.h - what the command line adds to an image to make a container of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct Volume {
  std::string source;       // absolute
  std::string destination;  // absolute
  bool read_only = false;
};

// A mount of the runtime's configuration as it stands.
struct ExtraMount {
  std::string type;
  std::string source;
  std::string destination;
  std::vector<std::string> options = {};
};

struct ExtraHook {
  std::string stage;  // createRuntime, …
  std::vector<std::string> argv;
};

struct BundleOptions {
  std::string name;
  std::string hostname;
  std::optional<std::string> network = {};  // none, host, or a network's name; absent: none
  std::vector<std::string> publish = {};
  std::vector<std::string> env = {};
  std::optional<std::string> user = {};
  std::optional<std::string> working_dir = {};
  std::optional<std::vector<std::string>> entrypoint = {};
  std::vector<std::string> args = {};
  std::vector<Volume> volumes = {};
  std::vector<ExtraMount> mounts = {};
  std::vector<ExtraHook> hooks = {};
  std::optional<std::int64_t> memory = {};
  std::optional<std::int64_t> pids = {};
  std::optional<double> cpus = {};
  bool read_only = false;
  bool terminal = false;
  bool no_new_privileges = false;

  bool own_network() const { return !network || *network != "host"; }
  bool wired() const { return network && *network != "none" && *network != "host"; }
};
