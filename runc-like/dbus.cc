// SPDX-License-Identifier: Apache-2.0
#include "dbus.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cgroup_files.h"

namespace {

// Header field codes of the specification.
enum Field : std::uint8_t {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kErrorName = 4,
  kReplySerial = 5,
  kDestination = 6,
  kSignature = 8,
};

constexpr std::size_t kMessageLimit = std::size_t{1} << 20;  // systemd's are a few hundred bytes

struct VariantWriter {
  DbusWriter& out;
  void operator()(const std::string& v) const { out.signature("s").text(v); }
  void operator()(bool v) const { out.signature("b").u32(v ? 1 : 0); }
  void operator()(std::int32_t v) const { out.signature("i").u32(static_cast<std::uint32_t>(v)); }
  void operator()(std::uint32_t v) const { out.signature("u").u32(v); }
  void operator()(std::uint64_t v) const { out.signature("t").u64(v); }
  void operator()(const std::vector<std::string>& v) const {
    const std::size_t mark = out.signature("as").begin_array(4);
    for (const std::string& text : v) out.text(text);
    out.end_array(mark, 4);
  }
  void operator()(const std::vector<std::uint32_t>& v) const {
    const std::size_t mark = out.signature("au").begin_array(4);
    for (const std::uint32_t number : v) out.u32(number);
    out.end_array(mark, 4);
  }
  void operator()(const std::vector<std::uint8_t>& v) const {
    const std::size_t mark = out.signature("ay").begin_array(1);
    for (const std::uint8_t number : v) out.byte(number);
    out.end_array(mark, 1);
  }
};

void header_field(DbusWriter& out, Field code, std::string_view type, const std::string& value) {
  if (value.empty()) return;
  out.align(8).byte(code).signature(type);
  if (type == "g")
    out.signature(value);
  else
    out.text(value);
}

void read_field(DbusReader& in, DbusMessage& message) {
  in.align(8);
  const std::uint8_t code = in.byte();
  const std::string value = in.variant();
  if (code == kPath) message.path = value;
  if (code == kInterface) message.interface = value;
  if (code == kMember) message.member = value;
  if (code == kErrorName) message.error = value;
  if (code == kReplySerial)
    message.reply_to = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
}

std::size_t rounded(std::size_t size, std::size_t boundary) {
  return (size + boundary - 1) / boundary * boundary;
}

std::string hexadecimal(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 0xf];
  }
  return out;
}

}  // namespace

DbusWriter& DbusWriter::align(std::size_t boundary) {
  bytes_.resize(rounded(bytes_.size(), boundary));
  return *this;
}

DbusWriter& DbusWriter::byte(std::uint8_t value) {
  bytes_ += static_cast<char>(value);
  return *this;
}

DbusWriter& DbusWriter::u32(std::uint32_t value) {
  align(4);
  for (int shift = 0; shift < 32; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

DbusWriter& DbusWriter::u64(std::uint64_t value) {
  align(8);
  for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

DbusWriter& DbusWriter::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value).push_back('\0');
  return *this;
}

DbusWriter& DbusWriter::signature(std::string_view value) {
  byte(static_cast<std::uint8_t>(value.size()));
  bytes_.append(value).push_back('\0');
  return *this;
}

DbusWriter& DbusWriter::variant(const DbusValue& value) {
  std::visit(VariantWriter{*this}, value);
  return *this;
}

std::size_t DbusWriter::begin_array(std::size_t element_alignment) {
  u32(0);
  const std::size_t mark = bytes_.size();
  align(element_alignment);
  return mark;
}

void DbusWriter::end_array(std::size_t mark, std::size_t element_alignment) {
  // The size counts neither itself nor the padding before the first element.
  const std::size_t size = bytes_.size() - rounded(mark, element_alignment);
  for (std::size_t i = 0; i < 4; ++i) bytes_[mark - 4 + i] = static_cast<char>(size >> (8 * i));
}

DbusWriter& DbusWriter::properties(const DbusProperties& list) {
  const std::size_t mark = begin_array(8);
  for (const auto& [name, value] : list) align(8).text(name).variant(value);
  end_array(mark, 8);
  return *this;
}

bool DbusReader::take(std::size_t size) {
  if (!good_ || bytes_.size() - at_ < size) good_ = false;
  if (good_) at_ += size;
  return good_;
}

void DbusReader::align(std::size_t boundary) {
  (void)take(rounded(at_, boundary) - at_);
}

std::uint8_t DbusReader::byte() {
  return take(1) ? static_cast<std::uint8_t>(bytes_[at_ - 1]) : std::uint8_t{0};
}

std::uint32_t DbusReader::u32() {
  align(4);
  std::uint32_t value = 0;
  for (int shift = 0; shift < 32; shift += 8) value |= static_cast<std::uint32_t>(byte()) << shift;
  return good_ ? value : 0;
}

std::string DbusReader::text() {
  const std::uint32_t size = u32();
  if (!take(std::size_t{size} + 1)) return {};
  return std::string(bytes_.substr(at_ - size - 1, size));
}

std::string DbusReader::signature() {
  const std::uint8_t size = byte();
  if (!take(std::size_t{size} + 1)) return {};
  return std::string(bytes_.substr(at_ - size - 1, size));
}

std::string DbusReader::variant() {
  const std::string type = signature();
  if (type == "s" || type == "o") return text();
  if (type == "g") return signature();
  if (type == "u") return std::to_string(u32());
  good_ = false;
  return {};
}

std::string encode_call(const DbusCall& call, std::uint32_t serial) {
  DbusWriter out;
  out.byte('l').byte(DbusMessage::Call).byte(0).byte(1);
  out.u32(static_cast<std::uint32_t>(call.body.size())).u32(serial);
  const std::size_t mark = out.begin_array(8);
  header_field(out, kPath, "o", call.path);
  header_field(out, kInterface, "s", call.interface);
  header_field(out, kMember, "s", call.member);
  header_field(out, kDestination, "s", call.destination);
  header_field(out, kSignature, "g", call.signature);
  out.end_array(mark, 8);
  out.align(8);
  return out.bytes() + call.body;
}

Result<bool> decode_message(std::string_view bytes, DbusMessage& message, std::size_t& size) {
  if (bytes.size() < 16) return false;
  DbusReader in(bytes);
  if (in.byte() != 'l') return Error{"D-Bus: a message in an unknown byte order", EPROTO};
  message.type = static_cast<DbusMessage::Type>(in.byte());
  (void)in.byte();
  (void)in.byte();
  const std::size_t body = in.u32();
  (void)in.u32();
  const std::size_t fields = in.u32();
  const std::size_t start = rounded(16 + fields, 8);
  if (body > kMessageLimit || fields > kMessageLimit)
    return Error{"D-Bus: a message of " + std::to_string(start + body) + " bytes", EPROTO};
  size = start + body;
  if (bytes.size() < size) return false;
  DbusReader header(bytes.substr(0, 16 + fields));
  for (int i = 0; i < 4; ++i) (void)header.u32();
  while (header.good() && header.position() < 16 + fields) read_field(header, message);
  if (!header.good()) return Error{"D-Bus: a header that cannot be read", EPROTO};
  message.body = bytes.substr(start, body);
  return true;
}

Result<Dbus> Dbus::connect(const std::string& socket, Peer peer) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path)
    return Error{"connect to '" + socket + "'", ENAMETOOLONG};
  std::memcpy(address.sun_path, socket.data(), socket.size());
  Dbus bus(UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  if (!bus.socket_) return errno_error("make a socket for", socket);
  if (::connect(bus.socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0)
    return errno_error("connect to", socket);
  TRY(bus.authenticate());
  if (peer == Peer::Direct) return bus;
  const DbusCall hello = {
      "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", ""};
  TRY(bus.call(hello));
  DbusCall match = hello;
  match.member = "AddMatch";
  match.signature = "s";
  match.body =
      DbusWriter().text("type='signal',interface='org.freedesktop.systemd1.Manager'").bytes();
  TRY(bus.call(match));
  return bus;
}

// EXTERNAL: the kernel vouches for our uid. BEGIN goes with it: a call that the
// other side read together with a later BEGIN would lie in its buffer, unseen,
// until more data comes.
Result<void> Dbus::authenticate() {
  const std::string uid = hexadecimal(std::to_string(::geteuid()));
  TRY(send(std::string(1, '\0') + "AUTH EXTERNAL " + uid + "\r\nBEGIN\r\n"));
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (buffer_.find("\r\n") == std::string::npos) TRY(fill(deadline));
  if (!buffer_.starts_with("OK ")) return Error{"D-Bus: not authenticated", EACCES};
  buffer_.erase(0, buffer_.find("\r\n") + 2);
  return {};
}

Result<void> Dbus::send(std::string_view bytes) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno_error("send to", "D-Bus");
    pollfd room = {socket_.get(), POLLOUT, 0};
    if (::poll(&room, 1, milliseconds_until(deadline)) == 0)
      return Error{"send to 'D-Bus'", ETIMEDOUT};
  }
  return {};
}

Result<void> Dbus::fill(std::chrono::steady_clock::time_point deadline) {
  char bytes[4096];
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (n > 0) {
      buffer_.append(bytes, static_cast<std::size_t>(n));
      return {};
    }
    if (n == 0) return Error{"D-Bus: the connection was closed", ECONNRESET};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno_error("receive from", "D-Bus");
    pollfd data = {socket_.get(), POLLIN, 0};
    if (::poll(&data, 1, milliseconds_until(deadline)) == 0)
      return Error{"wait for an answer of systemd", ETIMEDOUT,
                   "see 'systemctl list-jobs', or use --cgroup-manager=cgroupfs"};
  }
}

Result<DbusMessage> Dbus::receive(std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    DbusMessage message;
    std::size_t size = 0;
    if (TRY(decode_message(buffer_, message, size))) {
      buffer_.erase(0, size);
      return message;
    }
    TRY(fill(deadline));
  }
}

Result<DbusMessage> Dbus::call(const DbusCall& call) {
  const std::uint32_t serial = ++serial_;
  TRY(send(encode_call(call, serial)));
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  for (;;) {
    DbusMessage message = TRY(receive(deadline));
    if (message.type == DbusMessage::Signal)
      signals_.push_back(std::move(message));
    else if (message.reply_to == serial && message.type == DbusMessage::Return)
      return message;
    else if (message.reply_to == serial && message.type == DbusMessage::Error)
      return Error{message.error + ": " + DbusReader(message.body).text()};
  }
}

Result<DbusMessage> Dbus::signal(std::string_view member) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  for (;;) {
    const auto found = std::ranges::find(signals_, member, &DbusMessage::member);
    if (found != signals_.end()) {
      DbusMessage message = std::move(*found);
      signals_.erase(found);
      return message;
    }
    DbusMessage message = TRY(receive(deadline));
    if (message.type == DbusMessage::Signal) signals_.push_back(std::move(message));
  }
}
