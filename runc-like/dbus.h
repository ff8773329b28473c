// SPDX-License-Identifier: Apache-2.0
// dbus.h - as much of D-Bus as it takes to ask systemd for a scope: method calls
// and signals over a unix socket, each within a deadline.
//
// A library would bring an event loop, threads or a shared object; the wire
// format (dbus-specification, "Message Protocol") needs none of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/fd.h"

// A value that goes into a variant: s, b, i, u, t, as, au, ay.
using DbusValue =
    std::variant<std::string, bool, std::int32_t, std::uint32_t, std::uint64_t,
                 std::vector<std::string>, std::vector<std::uint32_t>, std::vector<std::uint8_t>>;
using DbusProperties = std::vector<std::pair<std::string, DbusValue>>;

// Bytes in the D-Bus encoding, little-endian, aligned from their own start.
class DbusWriter {
 public:
  DbusWriter& byte(std::uint8_t value);
  DbusWriter& u32(std::uint32_t value);
  DbusWriter& u64(std::uint64_t value);
  DbusWriter& text(std::string_view value);       // s and o
  DbusWriter& signature(std::string_view value);  // g
  DbusWriter& variant(const DbusValue& value);
  DbusWriter& properties(const DbusProperties& list);  // a(sv)
  DbusWriter& align(std::size_t boundary);
  // An array: its elements are written between begin and end.
  std::size_t begin_array(std::size_t element_alignment);
  void end_array(std::size_t mark, std::size_t element_alignment);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reads them again; after the end, or on nonsense, everything is empty or 0.
class DbusReader {
 public:
  explicit DbusReader(std::string_view bytes) : bytes_(bytes) {}
  std::uint8_t byte();
  std::uint32_t u32();
  std::string text();
  std::string signature();
  void align(std::size_t boundary);
  std::size_t position() const { return at_; }
  bool good() const { return good_; }
  // The value of a variant when it is one string, object path, signature or
  // uint32; anything else makes the reader bad.
  std::string variant();

 private:
  bool take(std::size_t size);
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool good_ = true;
};

struct DbusMessage {
  enum Type : std::uint8_t { Call = 1, Return = 2, Error = 3, Signal = 4 };
  Type type = Call;
  std::uint32_t reply_to = 0;
  std::string path;
  std::string interface;
  std::string member;
  std::string error;  // "org.freedesktop.systemd1.UnitExists"
  std::string body;
};

struct DbusCall {
  std::string destination;
  std::string path;
  std::string interface;
  std::string member;
  std::string signature;
  std::string body;
};

// Pure: the two halves of the protocol, for the unit test.
std::string encode_call(const DbusCall& call, std::uint32_t serial);
// Nothing while the message is not complete; its size goes to `size`.
Result<bool> decode_message(std::string_view bytes, DbusMessage& message, std::size_t& size);

class Dbus {
 public:
  enum class Peer { Direct, Broker };  // a program itself, or a bus between
  static Result<Dbus> connect(const std::string& socket, Peer peer);

  // The reply; an error reply is an Error whose text begins with its name.
  Result<DbusMessage> call(const DbusCall& call);
  // The next signal of that name; those that came during calls are kept.
  Result<DbusMessage> signal(std::string_view member);

  static constexpr std::chrono::seconds kDeadline{20};  // of each message

 private:
  explicit Dbus(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<void> authenticate();
  Result<void> send(std::string_view bytes);
  Result<DbusMessage> receive(std::chrono::steady_clock::time_point deadline);
  Result<void> fill(std::chrono::steady_clock::time_point deadline);

  UniqueFd socket_;
  std::uint32_t serial_ = 0;
  std::string buffer_;
  std::vector<DbusMessage> signals_;
};
