// SPDX-License-Identifier: Apache-2.0
// launch.h - from a bundle to a created container; the parent's side of the
// conversation with init.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/events.h"

#include "cgroup.h"
#include "plan.h"
#include "spawn.h"
#include "store.h"

struct LaunchOptions {
  std::string root;
  std::string id;
  std::string bundle = ".";
  std::string config = "config.json";
  std::string console_socket = {};
  // Asked for a console socket when the configuration wants a terminal and none is given.
  std::function<Result<std::string>()> offer_console = {};
  std::string pidfd_socket = {};
  std::string pid_file = {};
  CgroupManager manager = CgroupManager::Cgroupfs;
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool wait_for_start = true;  // create; else run, which starts it at once
  bool detach = true;
  unsigned preserve_fds = 0;
};

// A container whose init waits to be started. Destroying it before keep() undoes
// everything, in reverse order.
struct Launched {
  Spec spec;
  Container container;
  Cgroup cgroup;
  Init init;
  Plan plan;
  std::optional<SeccompProgram> program;

  void keep();
};

// Writes warnings to the log as they are found.
Result<Launched> launch(LaunchOptions options, const EventLog& events);

// After Start: until init has become the program, or has failed; `tell_why` puts
// a failure into words.
Result<void> finish_start(Init& init, const SeccompProgram* program, const Record& record,
                          const std::function<Error(const wire::Packet&)>& tell_why);

// What a Failed packet means, in the words of the plan.
Error step_error(const Plan& plan, const wire::Packet& packet);

// The facts of this host, and of the cgroup when there is one.
Result<HostFacts> host_facts(const CgroupLayout& layout, const Cgroup* cgroup);

// With a root, its cache of filters spares reading the rules of a known profile.
Result<Spec> load_spec(const std::string& path, std::string& text, const std::string& root = "");
std::string filter_cache(const std::string& root);
PlanOptions plan_options(const LaunchOptions& options, const Spec& spec);
Result<std::optional<SeccompProgram>> compile_filter(const Spec& spec, const std::string& root);

// Descriptors that systemd-style activation hands on: LISTEN_FDS, when meant for us.
unsigned listen_fds();

// Absolute form of an existing path, links resolved.
Result<std::string> real_path(const std::string& path);

// Connects to a stream socket of an engine (console, pidfd).
Result<UniqueFd> connect_stream(const std::string& path);
// One message with one descriptor.
Result<void> send_descriptor(FdRef socket, FdRef descriptor, std::string_view text);

// <dir>/.<name> then rename, as engines expect a pid file to appear.
Result<void> write_pid_file(const std::string& path, pid_t pid);
