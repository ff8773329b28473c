// SPDX-License-Identifier: Apache-2.0
#include "attach_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace {

constexpr std::size_t kPayload = 8192;  // clients read 8193 bytes at a time
constexpr std::size_t kQueueLimit = std::size_t{256} << 10;
constexpr std::size_t kClientLimit = 64;
constexpr std::size_t kInputPacket = std::size_t{32} << 10;

// sockaddr_un holds 108 bytes; /proc/self/fd/N/NAME is short whatever N's path is.
Result<sockaddr_un> address_in(FdRef directory, const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name;
  if (path.size() >= sizeof address.sun_path) return Error{"socket '" + name + "'", ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Result<UniqueFd> listen_in(FdRef directory, const std::string& name, int type) {
  const sockaddr_un address = TRY(address_in(directory, name));
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error("create socket", name);
  if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return errno_error("remove stale socket", name);
  // The mode of the inode is set before anybody can find the name.
  (void)::fchmod(socket.get(), 0700);
  if (::bind(socket.get(), generic(address), sizeof address) != 0)
    return errno_error("bind socket", name);
  if (type != SOCK_DGRAM && ::listen(socket.get(), 16) != 0)
    return errno_error("listen on socket", name);
  return socket;
}

Result<UniqueFd> connect_in(FdRef directory, const std::string& name, int type) {
  const sockaddr_un address = TRY(address_in(directory, name));
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error("create socket", name);
  if (::connect(socket.get(), generic(address), sizeof address) != 0)
    return errno_error("connect to socket", name);
  return socket;
}

AttachServer::AttachServer(Loop& loop, UniqueFd socket, UniqueFd directory, std::string name,
                           const Notices& notices)
    : loop_(loop),
      socket_(std::move(socket)),
      directory_(std::move(directory)),
      name_(std::move(name)),
      notices_(notices) {}

Result<std::unique_ptr<AttachServer>> AttachServer::create(Loop& loop, FdRef directory,
                                                           const std::string& name,
                                                           const Notices& notices) {
  UniqueFd socket = TRY(listen_in(directory, name, SOCK_SEQPACKET));
  UniqueFd own(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 3));
  if (!own) return errno_error("duplicate", "directory");
  std::unique_ptr<AttachServer> server(
      new AttachServer(loop, std::move(socket), std::move(own), name, notices));
  AttachServer* const self = server.get();
  TRY(loop.watch(self->socket_, EPOLLIN, [self](std::uint32_t) { self->accept_one(); }));
  return server;
}

AttachServer::~AttachServer() {
  close();
}

void AttachServer::feed(Input& input, bool leave_open) {
  input_ = &input;
  leave_open_ = leave_open;
  input.on_ready([this] {
    for (const auto& client : clients_) watch_client(*client);
  });
}

void AttachServer::accept_one() {
  UniqueFd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) return;
  ucred peer = {};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  if (!known || (peer.uid != 0 && peer.uid != ::geteuid())) return;
  if (clients_.size() >= kClientLimit)
    return notices_.warn("attach-refused", "too many attached clients");
  clients_.push_back(std::make_unique<Client>(Client{std::move(fd)}));
  watch_client(*clients_.back());
}

void AttachServer::watch_client(Client& client) {
  std::uint32_t events = client.queue.empty() ? 0U : std::uint32_t{EPOLLOUT};
  if (client.reading && (input_ == nullptr || input_->ready())) events |= EPOLLIN;
  client.watching = true;
  (void)loop_.watch(client.fd, events,
                    [this, c = &client](std::uint32_t what) { handle(*c, what); });
}

void AttachServer::handle(Client& client, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !flush(client)) return drop(client);
  if ((events & EPOLLIN) != 0) return receive(client);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return drop(client);
  watch_client(client);
}

void AttachServer::receive(Client& client) {
  std::array<char, kInputPacket> packet;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t n = ::recv(client.fd.get(), packet.data(), packet.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) return drop(client);
  if (n == 0) {
    client.reading = false;
    if (input_ != nullptr && !leave_open_) input_->close();
  } else if (input_ != nullptr) {
    input_->put({packet.data(), static_cast<std::size_t>(n)});
  }
  if (n == 0 || (input_ != nullptr && !input_->ready()))
    for (const auto& c : clients_) watch_client(*c);
}

void AttachServer::send(Stream stream, std::string_view bytes) {
  while (!bytes.empty() && !clients_.empty()) {
    std::array<char, kPayload + 1> packet;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const std::size_t size = std::min(bytes.size(), kPayload);
    packet[0] = static_cast<char>(stream);
    std::memcpy(packet.data() + 1, bytes.data(), size);
    bytes.remove_prefix(size);
    for (std::size_t i = clients_.size(); i-- > 0;)
      deliver(*clients_[i], {packet.data(), size + 1});
  }
}

void AttachServer::deliver(Client& client, std::string_view packet) {
  if (client.queue.empty()) {
    const ssize_t n = ::send(client.fd.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
    if (n >= 0) return;
    if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) return drop(client);
  }
  if (client.queue.size() + packet.size() > kQueueLimit) {
    notices_.warn("attach-dropped", "an attached client does not read; it was dropped");
    return drop(client);
  }
  const auto size = static_cast<std::uint16_t>(packet.size());
  std::array<char, sizeof size> length = {};
  std::memcpy(length.data(), &size, sizeof size);
  const bool first = client.queue.empty();
  client.queue.append(length.data(), length.size()).append(packet);
  if (first) watch_client(client);
}

// False when the client is gone.
bool AttachServer::flush(Client& client) {
  std::size_t done = 0;
  bool gone = false;
  while (done < client.queue.size()) {
    std::uint16_t size = 0;
    std::memcpy(&size, client.queue.data() + done, sizeof size);
    const char* const packet = client.queue.data() + done + sizeof size;
    const ssize_t n = ::send(client.fd.get(), packet, size, MSG_NOSIGNAL);
    if (n < 0) {
      gone = errno != EAGAIN && errno != ENOBUFS && errno != EINTR;
      break;
    }
    done += sizeof size + size;
  }
  client.queue.erase(0, done);
  if (client.queue.empty()) client.queue.shrink_to_fit();
  return !gone;
}

void AttachServer::drop(Client& client) {
  loop_.forget(client.fd);
  std::erase_if(clients_, [&](const auto& c) { return c.get() == &client; });
}

void AttachServer::close() {
  if (!socket_) return;
  loop_.forget(socket_);
  (void)::unlinkat(directory_.get(), name_.c_str(), 0);
  socket_.reset();
  for (const auto& client : clients_) {
    loop_.forget(client->fd);
    pollfd slow = {client->fd.get(), POLLOUT, 0};
    while (!client->queue.empty() && ::poll(&slow, 1, 200) == 1)
      if (!flush(*client)) break;
  }
  clients_.clear();
}
