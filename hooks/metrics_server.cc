// SPDX-License-Identifier: Apache-2.0
#include "metrics_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <vector>

#include "common/cli.h"

namespace {

Result<UniqueFd> bind_and_listen(int family, const void* address, socklen_t size,
                                 const std::string& name) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (fd) (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!fd || ::bind(fd.get(), static_cast<const sockaddr*>(address), size) != 0 ||
      ::listen(fd.get(), 64) != 0)
    return errno_error("listen on", name);
  return fd;
}

Result<UniqueFd> listen_unix(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{"socket '" + path + "'", ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  // One that a former server has left; nothing else is removed.
  struct stat info = {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) (void)::unlink(path.c_str());
  return bind_and_listen(AF_UNIX, &address, sizeof address, path);
}

}  // namespace

Result<UniqueFd> listen_on(const std::string& address) {
  if (address.starts_with("unix:")) return listen_unix(address.substr(5));
  const std::size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  const auto port =
      colon == std::string::npos ? std::nullopt : parse_integer(address.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535)
    return Error{"'" + address + "' is no address"}.with_hint(
        "give unix:PATH, 127.0.0.1:PORT or [::1]:PORT");
  const auto number = htons(static_cast<std::uint16_t>(*port));
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = number;
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1 && host.starts_with("127."))
    return bind_and_listen(AF_INET, &v4, sizeof v4, address);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = number;
  v6.sin6_addr = in6addr_loopback;
  if (host == "[::1]") return bind_and_listen(AF_INET6, &v6, sizeof v6, address);
  return Error{"'" + host + "' is not the loopback interface"}.with_hint(
      "give unix:PATH, 127.0.0.1:PORT or [::1]:PORT");
}

HttpRequest parse_request(std::string_view head) {
  HttpRequest out;
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos ||
      !line.substr(second + 1).starts_with("HTTP/"))
    return {400};
  if (line.substr(0, first) != "GET") return {405};
  std::string_view path = line.substr(first + 1, second - first - 1);
  path = path.substr(0, path.find('?'));
  if (path != "/metrics" && path != "/") return {404};
  if (head.find("application/openmetrics-text") != std::string_view::npos)
    out.format = MetricsFormat::OpenMetrics;
  return out;
}

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostClients = 64;
constexpr std::size_t kLongestHead = 16384;
constexpr auto kPatience = std::chrono::seconds(10);

struct Client {
  UniqueFd fd;
  Clock::time_point deadline;
  std::string in = {};
  std::string out = {};
  std::size_t sent = 0;
};

std::string answer(const HttpRequest& request,
                   const std::function<std::string(MetricsFormat)>& text) {
  const bool good = request.status == 200;
  const std::string body = good ? text(request.format) : "GET /metrics is what there is.\n";
  const std::string_view reason = good                    ? "200 OK"
                                  : request.status == 404 ? "404 Not Found"
                                  : request.status == 405 ? "405 Method Not Allowed"
                                                          : "400 Bad Request";
  return "HTTP/1.1 " + std::string(reason) +
         "\r\nContent-Type: " + std::string(good ? content_type(request.format) : "text/plain") +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

// False when the client is done with, or has gone.
bool turn(Client& client, const std::function<std::string(MetricsFormat)>& text) {
  if (client.out.empty()) {
    std::array<char, 4096> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
    const ssize_t n = ::read(client.fd.get(), chunk.data(), chunk.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    client.in.append(chunk.data(), static_cast<std::size_t>(n));
    if (client.in.size() > kLongestHead) return false;
    if (client.in.find("\r\n\r\n") == std::string::npos) return true;
    client.out = answer(parse_request(client.in), text);
  }
  const ssize_t n = ::send(client.fd.get(), client.out.data() + client.sent,
                           client.out.size() - client.sent, MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  client.sent += static_cast<std::size_t>(n);
  return client.sent < client.out.size();
}

UniqueFd termination() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
  return UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC));
}

}  // namespace

Result<void> serve_metrics(FdRef listener, const std::function<std::string(MetricsFormat)>& text) {
  const UniqueFd ended = termination();
  std::list<Client> clients;
  for (;;) {
    std::vector<pollfd> fds = {{ended.get(), POLLIN, 0},
                               {clients.size() < kMostClients ? listener.get() : -1, POLLIN, 0}};
    for (const Client& client : clients)
      fds.push_back(
          {client.fd.get(), static_cast<short>(client.out.empty() ? POLLIN : POLLOUT), 0});
    if (::poll(fds.data(), fds.size(), clients.empty() ? -1 : 1000) < 0 && errno != EINTR)
      return errno_error("poll", "clients");
    if (fds[0].revents != 0) return {};
    const auto time = Clock::now();
    std::size_t i = 2;
    std::erase_if(clients, [&](Client& client) {
      const bool ready = fds[i++].revents != 0;
      return time > client.deadline || (ready && !turn(client, text));
    });
    if (fds[1].revents == 0) continue;
    UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) clients.push_back({std::move(fd), time + kPatience});
  }
}
