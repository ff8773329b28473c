// SPDX-License-Identifier: Apache-2.0
#include "notify_relay.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "attach_server.h"

namespace {

constexpr auto kExact = std::to_array<std::string_view>(
    {"READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "WATCHDOG=trigger"});
constexpr auto kPrefixes =
    std::to_array<std::string_view>({"STATUS=", "ERRNO=", "BUSERROR=", "MONOTONIC_USEC="});
constexpr const char* kName = "notify.sock";

}  // namespace

std::string allowed_notifications(std::string_view message) {
  std::string out;
  while (!message.empty()) {
    const auto end = message.find('\n');
    const std::string_view line = message.substr(0, end);
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    const bool allowed =
        std::ranges::find(kExact, line) != kExact.end() ||
        std::ranges::any_of(kPrefixes, [&](std::string_view p) { return line.starts_with(p); });
    if (!allowed) continue;
    if (!out.empty()) out += '\n';
    out.append(line);
  }
  return out;
}

Result<std::unique_ptr<NotifyRelay>> NotifyRelay::create(Loop& loop, const std::string& directory,
                                                         std::string target) {
  const UniqueFd place = TRY(open_directory(directory));
  std::unique_ptr<NotifyRelay> relay(new NotifyRelay(std::move(target)));
  relay->socket_ = TRY(listen_in(place, kName, SOCK_DGRAM));
  // The container's user is any user; the directory decides who comes this far.
  if (::fchmodat(place.get(), kName, 0777, 0) != 0) return errno_error("chmod", kName);
  NotifyRelay* const it = relay.get();
  TRY(loop.watch(it->socket_, EPOLLIN, [it](std::uint32_t) { it->pass_one(); }));
  return relay;
}

void NotifyRelay::pass_one() const {
  std::array<char, 4096> message;  // NOLINT(cppcoreguidelines-pro-type-member-init): recv fills it
  const ssize_t n = ::recv(socket_.get(), message.data(), message.size(), MSG_DONTWAIT);
  if (n <= 0) return;
  const std::string allowed = allowed_notifications({message.data(), static_cast<std::size_t>(n)});
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (allowed.empty() || target_.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, target_.data(), target_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + target_.size());
  const UniqueFd out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  (void)::sendto(out.get(), allowed.data(), allowed.size(), MSG_DONTWAIT | MSG_NOSIGNAL, generic,
                 size);
}
