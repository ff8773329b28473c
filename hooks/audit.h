// SPDX-License-Identifier: Apache-2.0
// audit.h - what a configuration allows its container, and how far that reaches.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

enum class Risk { Low, Medium, High, Critical };
std::string_view risk_name(Risk risk);

struct Finding {
  Risk risk = Risk::Low;
  std::string text;  // a sentence for a person
};

struct HostMount {
  std::string source;
  std::string destination;
  bool writable = false;
};

struct JoinedNamespace {
  std::string type;
  std::string path;
};

// What the configuration says. Pure.
struct Allowed {
  std::uint64_t uid = 0;
  std::vector<std::string> capabilities = {};  // bounding: what it can ever have
  std::vector<HostMount> host_mounts = {};
  std::size_t mounts = 0;
  bool all_devices = false;
  std::vector<std::string> devices = {};  // paths made for it
  std::vector<std::string> own_namespaces = {};
  std::vector<JoinedNamespace> joined_namespaces = {};
  std::vector<std::string> host_namespaces = {};
  bool seccomp = false;
  std::string seccomp_default = {};
  std::size_t seccomp_rules = 0;
  std::string apparmor = {};
  std::string selinux = {};
  bool no_new_privileges = false;
  bool readonly_root = false;
  std::size_t masked_paths = 0;
  bool memory_limit = false;
  bool pids_limit = false;

  bool has(std::string_view capability) const;
  bool own(std::string_view name_space) const;  // of its own or joined: not the host's
  bool privileged() const;                      // nothing of what confines a container is left
};
Result<Allowed> read_allowed(const JsonView& config, const std::string& bundle);

// What a person should look at, the worst first.
std::vector<Finding> findings(const Allowed& allowed);
Risk worst(const std::vector<Finding>& findings);

// `whole`: with the lists of capabilities, mounts and devices, else their numbers.
std::string to_json(const Allowed& allowed, const std::vector<Finding>& findings, bool whole);
// "risk: high\n  high    it may …\n"
std::string to_text(const std::vector<Finding>& findings);
