// SPDX-License-Identifier: Apache-2.0
// life.h - one life of a container: from the runtime's create to its delete.
//
// A container that is started again has another life: another process, other
// pipes, other clients. What outlives it belongs to the Session.
#pragma once

#include <memory>
#include <optional>

#include "attach_server.h"
#include "container_io.h"
#include "control.h"
#include "health.h"
#include "input.h"
#include "oom_watch.h"
#include "run.h"
#include "state_dir.h"
#include "supervisor.h"

struct LifeHost {
  Loop& loop;
  Children& children;
  Relay* relay;  // absent with passthrough
  Supervisor& supervisor;
  const Runtime& runtime;
  const StateDir& state;
  const RunCommand& options;
  const Notices& notices;
};

class Life {
 public:
  explicit Life(const LifeHost& host) : host_(host) {}
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life();  // the container is deleted if it was created and is not kept

  // The runtime's create; afterwards everything listens.
  Result<void> create();
  Result<void> start();
  // Instead of both: of a container that runs, whose shim was killed.
  Result<void> take_over(pid_t pid, const OutputPipes& pipes);

  void resize(const Order& order) const;
  // It has ended: the last look at its memory, the last bytes to its clients.
  void end();
  Result<void> remove();
  void keep() { created_ = false; }

  pid_t pid() const { return pid_; }
  const OutputPipes& pipes() const { return pipes_; }

 private:
  Result<void> connect();
  Result<void> connect_streams();
  void check_health();
  void report_health(const Health::Report& report) const;
  bool foreground() const { return !host_.options.detach; }

  LifeHost host_;
  std::optional<ContainerIo> io_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<AttachServer> attach_;
  std::unique_ptr<OomWatch> oom_;
  std::unique_ptr<Health> health_;
  UniqueFd terminal_;  // the container's
  std::optional<RawTerminal> raw_;
  pid_t pid_ = 0;
  OutputPipes pipes_;
  bool created_ = false;
};
