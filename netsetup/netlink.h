// SPDX-License-Identifier: Apache-2.0
// netlink.h - netlink messages: written into one buffer, sent with one call, answered at once.
//
// libmnl lays out headers, attributes and nests; what is added here is one growing
// buffer for many messages, and an answer that finds its message again.
// A message carries the words that describe it; they serve the error report
// ("add address 10.89.0.2/24 to eth0: File exists") and `--dry-run` alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fd.h"

struct nlmsghdr;

class NetlinkBatch {
 public:
  // Starts a message with its family's fixed header (ifinfomsg, nfgenmsg, …).
  template <class Header>
  void begin(std::uint16_t type, std::uint16_t flags, const Header& header, std::string what) {
    start(type, flags, std::move(what));
    append(&header, sizeof header);
  }

  void put(std::uint16_t type, std::string_view bytes);
  void put_string(std::uint16_t type, std::string_view text);  // with its NUL
  void put_u8(std::uint16_t type, std::uint8_t value);
  void put_u32(std::uint16_t type, std::uint32_t value);
  void put_be16(std::uint16_t type, std::uint16_t value);
  void put_be32(std::uint16_t type, std::uint32_t value);

  // Attributes written by `body` become the content of attribute `type`.
  template <class Body>
  void nest(std::uint16_t type, Body body) {
    const std::size_t at = open_nest(type);
    body();
    close_nest(at);
  }

  // A fixed structure inside a nest, where the kernel wants one before attributes.
  template <class Header>
  void put_header(const Header& header) {
    append(&header, sizeof header);
  }

  void add_flags_to_last(std::uint16_t flags);

  const std::string& bytes() const { return bytes_; }
  std::size_t size() const { return what_.size(); }  // number of messages
  const std::vector<std::string>& what() const { return what_; }

 private:
  void start(std::uint16_t type, std::uint16_t flags, std::string what);
  void append(const void* header, std::size_t size);  // padded to four bytes
  std::size_t open_nest(std::uint16_t type);
  void close_nest(std::size_t at);
  nlmsghdr* last_with_room(std::size_t more);

  std::string bytes_;
  std::size_t last_ = 0;  // offset of the message being written
  std::vector<std::string> what_;
};

// The attributes of a message or a nest, read without trusting a length.
class NetlinkAttributes {
 public:
  explicit NetlinkAttributes(std::string_view bytes) : bytes_(bytes) {}
  std::optional<std::string_view> find(std::uint16_t type) const;  // payload
  NetlinkAttributes nested(std::uint16_t type) const;              // empty when absent
  std::string string(std::uint16_t type) const;                    // up to its NUL
  std::optional<std::uint32_t> u32(std::uint16_t type) const;
  std::vector<std::pair<std::uint16_t, std::string_view>> all() const;

 private:
  std::string_view bytes_;
};

struct NetlinkReply {
  std::uint16_t type = 0;
  std::string payload;  // fixed header and attributes

  template <class Header>
  Header header() const {
    Header out = {};
    payload.copy(reinterpret_cast<char*>(&out), sizeof out);
    return out;
  }
  template <class Header>
  NetlinkAttributes attributes() const {
    const std::string_view all = payload;
    return NetlinkAttributes(all.substr(std::min(all.size(), (sizeof(Header) + 3) & ~3UL)));
  }
};

class NetlinkSocket {
 public:
  // In the network namespace that the caller is in; it stays there.
  static Result<NetlinkSocket> open(int protocol);

  // Sends the batch with one call. The first message that the kernel refuses is
  // the error; its place in the batch goes to `failed`.
  Result<void> transact(const NetlinkBatch& batch, std::size_t* failed = nullptr) const;

  // One request and all that answers it.
  Result<std::vector<NetlinkReply>> query(const NetlinkBatch& batch) const;

  FdRef fd() const { return fd_; }

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<void> send(const NetlinkBatch& batch) const;
  UniqueFd fd_;
};
