// SPDX-License-Identifier: Apache-2.0
#include "netlink.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace {

constexpr std::size_t aligned(std::size_t size) {
  return (size + MNL_ALIGNTO - 1) / MNL_ALIGNTO * MNL_ALIGNTO;
}

template <class T>
T load(std::string_view bytes) {
  T out = {};
  bytes.copy(reinterpret_cast<char*>(&out), sizeof out);
  return out;
}

template <class T>
std::string_view as_bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

// libmnl writes where it is told to; this is the room for it.
nlmsghdr* NetlinkBatch::last_with_room(std::size_t more) {
  bytes_.resize(bytes_.size() + aligned(more), '\0');
  return reinterpret_cast<nlmsghdr*>(&bytes_[last_]);
}

void NetlinkBatch::start(std::uint16_t type, std::uint16_t flags, std::string what) {
  last_ = bytes_.size();
  what_.push_back(std::move(what));
  nlmsghdr* message = mnl_nlmsg_put_header(last_with_room(sizeof(nlmsghdr)));
  message->nlmsg_type = type;
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  message->nlmsg_seq = static_cast<std::uint32_t>(what_.size());  // finds the message of an answer
}

void NetlinkBatch::append(const void* header, std::size_t size) {
  std::memcpy(mnl_nlmsg_put_extra_header(last_with_room(size), size), header, size);
}

void NetlinkBatch::put(std::uint16_t type, std::string_view bytes) {
  mnl_attr_put(last_with_room(sizeof(nlattr) + bytes.size()), type, bytes.size(), bytes.data());
}

void NetlinkBatch::put_string(std::uint16_t type, std::string_view text) {
  std::string with_nul(text);
  with_nul.push_back('\0');
  put(type, with_nul);
}

void NetlinkBatch::put_u8(std::uint16_t type, std::uint8_t value) {
  put(type, as_bytes(value));
}
void NetlinkBatch::put_u32(std::uint16_t type, std::uint32_t value) {
  put(type, as_bytes(value));
}
void NetlinkBatch::put_be16(std::uint16_t type, std::uint16_t value) {
  put(type, as_bytes(htons(value)));
}
void NetlinkBatch::put_be32(std::uint16_t type, std::uint32_t value) {
  put(type, as_bytes(htonl(value)));
}

std::size_t NetlinkBatch::open_nest(std::uint16_t type) {
  const std::size_t at = bytes_.size();
  mnl_attr_nest_start(last_with_room(sizeof(nlattr)), type);
  return at;
}

void NetlinkBatch::close_nest(std::size_t at) {
  mnl_attr_nest_end(last_with_room(0), reinterpret_cast<nlattr*>(&bytes_[at]));
}

void NetlinkBatch::add_flags_to_last(std::uint16_t flags) {
  nlmsghdr* message = last_with_room(0);
  message->nlmsg_flags = static_cast<std::uint16_t>(message->nlmsg_flags | flags);
}

std::vector<std::pair<std::uint16_t, std::string_view>> NetlinkAttributes::all() const {
  std::vector<std::pair<std::uint16_t, std::string_view>> out;
  const char* const end = bytes_.data() + bytes_.size();
  for (auto* at = reinterpret_cast<const nlattr*>(bytes_.data());
       mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)));
       at = mnl_attr_next(at))
    out.emplace_back(mnl_attr_get_type(at),
                     std::string_view(static_cast<const char*>(mnl_attr_get_payload(at)),
                                      mnl_attr_get_payload_len(at)));
  return out;
}

std::optional<std::string_view> NetlinkAttributes::find(std::uint16_t type) const {
  for (const auto& [found, payload] : all())
    if (found == type) return payload;
  return std::nullopt;
}

NetlinkAttributes NetlinkAttributes::nested(std::uint16_t type) const {
  return NetlinkAttributes(find(type).value_or(std::string_view()));
}

std::string NetlinkAttributes::string(std::uint16_t type) const {
  const std::string_view text = find(type).value_or(std::string_view());
  return std::string(text.substr(0, text.find('\0')));
}

std::optional<std::uint32_t> NetlinkAttributes::u32(std::uint16_t type) const {
  const auto payload = find(type);
  if (!payload || payload->size() < 4) return std::nullopt;
  return load<std::uint32_t>(*payload);
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  const std::string name = "netlink protocol " + std::to_string(protocol);
  if (!fd) return errno_error("open a socket for", name);
  const int on = 1;
  // Short acknowledgements that carry the kernel's own words.
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  const int room = 4 << 20;  // a range of a thousand ports in one transaction
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  return NetlinkSocket(std::move(fd));
}

Result<void> NetlinkSocket::send(const NetlinkBatch& batch) const {
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  const std::string& bytes = batch.bytes();
  if (::sendto(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) < 0)
    return errno_error("send to the kernel", batch.what().front());
  return {};
}

namespace {

// What one datagram of the kernel says.
struct Answers {
  std::vector<NetlinkReply> replies;
  std::optional<Error> error;  // the first
  std::size_t failed = 0;      // index of its message
  bool done = false;           // end of a dump, or an acknowledgement
};

// "not enough room here" is worse than no text: the words come from the kernel
// only where it has them (NLMSGERR_ATTR_MSG).
std::string words_of_the_kernel(const nlmsghdr& header, std::string_view payload) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  std::size_t skip = sizeof(nlmsgerr);
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0)
    skip += aligned(load<nlmsgerr>(payload).msg.nlmsg_len) - sizeof(nlmsghdr);
  return NetlinkAttributes(payload.substr(std::min(skip, payload.size())))
      .string(NLMSGERR_ATTR_MSG);
}

void take_error(const NetlinkBatch& batch, const nlmsghdr& header, std::string_view payload,
                Answers& out) {
  const auto answer = load<nlmsgerr>(payload);
  out.done = true;
  if (answer.error == 0 || out.error) return;
  const std::size_t number = header.nlmsg_seq;
  out.failed = number >= 1 && number <= batch.size() ? number - 1 : 0;
  std::string what = batch.what()[out.failed];
  const std::string words = words_of_the_kernel(header, payload);
  if (!words.empty()) what += ": " + words;
  out.error = Error{what, -answer.error};
}

void take_datagram(const NetlinkBatch& batch, std::string_view datagram, Answers& out) {
  auto left = static_cast<int>(datagram.size());
  for (auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
       mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
    const std::string_view payload(static_cast<const char*>(mnl_nlmsg_get_payload(message)),
                                   mnl_nlmsg_get_payload_len(message));
    if (message->nlmsg_type == NLMSG_ERROR)
      take_error(batch, *message, payload, out);
    else if (message->nlmsg_type == NLMSG_DONE)
      out.done = true;
    else if (message->nlmsg_type >= NLMSG_MIN_TYPE)
      out.replies.push_back({message->nlmsg_type, std::string(payload)});
  }
}

// The kernel has done everything, and queued every answer, when sendto returns;
// of a dump each read fetches the next part. So "nothing there" is the end.
Result<void> receive(FdRef fd, const NetlinkBatch& batch, Answers& out) {
  std::string buffer(std::size_t{64} << 10, '\0');
  while (true) {
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return {};
    if (got < 0) return errno_error("receive the kernel's answer to", batch.what().front());
    take_datagram(batch, std::string_view(buffer).substr(0, static_cast<std::size_t>(got)), out);
  }
}

}  // namespace

Result<void> NetlinkSocket::transact(const NetlinkBatch& batch, std::size_t* failed) const {
  if (batch.size() == 0) return {};
  TRY(send(batch));
  Answers answers;
  TRY(receive(fd_, batch, answers));
  if (answers.error) {
    if (failed != nullptr) *failed = answers.failed;
    return *std::move(answers.error);
  }
  if (!answers.done) return Error{batch.what().back() + ": the kernel gave no answer", EPROTO};
  return {};
}

Result<std::vector<NetlinkReply>> NetlinkSocket::query(const NetlinkBatch& batch) const {
  TRY(send(batch));
  Answers answers;
  TRY(receive(fd_, batch, answers));
  if (answers.error) return *std::move(answers.error);
  return std::move(answers.replies);
}
