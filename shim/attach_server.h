// SPDX-License-Identifier: Apache-2.0
// attach_server.h - the socket through which programs join a running container.
//
// SOCK_SEQPACKET, conmon's protocol: to the client, packets of one byte that
// names the stream (2 output, 3 error) and at most 8192 bytes; from the client,
// bytes for the container's standard input, shutdown(SHUT_WR) for its end. The
// container's end is the end of the connection. A client that does not read is
// given a bounded buffer and then dropped: it cannot hold up the container.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "input.h"
#include "log_sink.h"
#include "loop.h"
#include "notices.h"

class AttachServer {
 public:
  // Listens on `name` in `directory`; a stale socket there is replaced.
  static Result<std::unique_ptr<AttachServer>> create(Loop& loop, FdRef directory,
                                                      const std::string& name,
                                                      const Notices& notices);
  ~AttachServer();

  // Where clients' bytes go; `leave_open`: a client's end is not the container's.
  void feed(Input& input, bool leave_open);
  void send(Stream stream, std::string_view bytes);
  // Waits a moment for slow clients to take what is buffered for them, then
  // closes all connections and removes the socket.
  void close();

 private:
  struct Client {
    UniqueFd fd;
    std::string queue = {};  // packets, each with its length before it
    bool reading = true;
    bool watching = false;  // for EPOLLOUT
  };

  AttachServer(Loop& loop, UniqueFd socket, UniqueFd directory, std::string name,
               const Notices& notices);
  void accept_one();
  void watch_client(Client& client);
  void handle(Client& client, std::uint32_t events);
  void receive(Client& client);
  void deliver(Client& client, std::string_view packet);
  bool flush(Client& client);
  void drop(Client& client);

  Loop& loop_;
  UniqueFd socket_;
  UniqueFd directory_;
  std::string name_;
  const Notices& notices_;
  Input* input_ = nullptr;
  bool leave_open_ = false;
  std::vector<std::unique_ptr<Client>> clients_;
};

// Binds or connects a unix socket by directory and name, whatever the length of the path.
Result<UniqueFd> listen_in(FdRef directory, const std::string& name, int type);
Result<UniqueFd> connect_in(FdRef directory, const std::string& name, int type);
