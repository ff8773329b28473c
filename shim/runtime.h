// SPDX-License-Identifier: Apache-2.0
// runtime.h - the OCI runtime, by its command line: runc-like, runc, crun, …
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/child_process.h"

// What stands before the verb is given once: --root, --systemd-cgroup, …
struct RuntimeOptions {
  std::string program;
  std::vector<std::string> global;
};

// The three descriptors that the container's process starts with.
struct RuntimeStdio {
  int in = 0;
  int out = 1;
  int err = 2;
};

class Runtime {
 public:
  // `log`: a file of ours that the runtime writes its messages to, as JSON lines.
  Runtime(RuntimeOptions options, std::string log)
      : options_(std::move(options)), log_(std::move(log)) {}

  // Starts the verb; finish() waits for it and turns its failure into an error
  // with the runtime's own message. `err`: where that is, if not in the log.
  Result<ChildProcess> begin(const std::vector<std::string>& verb, const RuntimeStdio& io) const;
  Result<void> finish(ChildProcess& child, std::string_view verb, const UniqueFd& err) const;

  // The whole command line, for those who run it themselves.
  std::vector<std::string> words(const std::vector<std::string>& verb) const {
    return command(verb).argv;
  }

  // A verb with nothing but messages.
  Result<void> run(const std::vector<std::string>& verb) const;

 private:
  Command command(const std::vector<std::string>& verb) const;
  Error failure(std::string_view verb, int status, std::string_view err) const;

  RuntimeOptions options_;
  std::string log_;
};

// The message inside what a runtime wrote: the last error of a JSON log, the msg
// of a logrus line, or the last line as it is. Always one line.
std::string runtime_message(std::string_view text);

// What a shell would exit with: 127 when a runtime says that the container's
// program is not there, 126 when it cannot be executed, else 1.
int status_of_failure(const Error& error);
