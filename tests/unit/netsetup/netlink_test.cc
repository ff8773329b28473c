// SPDX-License-Identifier: Apache-2.0
// The bytes that go to the kernel, as `ip` and `nft` were seen to send them.
#include "netlink.h"

#include <gtest/gtest.h>

#include "link.h"
#include "nft.h"

namespace {

// Bytes written in hexadecimal; '|' and blanks separate for the reader.
std::string bytes(std::string_view hex) {
  std::string out;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ' || c == '|' || c == '\n') continue;
    digits.push_back(c);
    if (digits.size() < 2) continue;
    out.push_back(static_cast<char>(std::stoi(digits, nullptr, 16)));
    digits.clear();
  }
  return out;
}

std::string hex(std::string_view raw) {
  std::string out;
  for (const char c : raw) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

TEST(Netlink, AnAddressWithBroadcast) {
  NetlinkBatch batch;
  add_address(batch, 2, "eth0", *parse_cidr("10.89.0.2/24"));
  EXPECT_EQ(hex(batch.bytes()), hex(bytes(R"(
    30000000 1400 0506 01000000 00000000 |
    02 18 00 00 02000000 |
    0800 0200 0a590002 | 0800 0100 0a590002 | 0800 0400 0a5900ff)")));
  EXPECT_EQ(batch.what().at(0), "address add 10.89.0.2/24 dev eth0");
}

TEST(Netlink, AnIpv6AddressWithoutDuplicateDetection) {
  NetlinkBatch batch;
  add_address(batch, 2, "eth0", *parse_cidr("fd00::2/64"));
  EXPECT_NE(batch.bytes().find(bytes("0800 0800 02000000")), std::string::npos);
}

TEST(Netlink, TheDefaultRoute) {
  NetlinkBatch batch;
  add_route(batch, {*parse_cidr("0.0.0.0/0"), *parse_address("10.89.0.1"), 2, "eth0"});
  EXPECT_EQ(hex(batch.bytes()), hex(bytes(R"(
    2c000000 1800 0506 01000000 00000000 |
    02 00 00 00 fe 04 00 01 00000000 |
    0800 0500 0a590001 | 0800 0400 02000000)")));
}

TEST(Netlink, AVethGoesStraightIntoItsNamespace) {
  NetlinkBatch batch;
  VethSpec veth;
  veth.host_name = "veth0";
  veth.container_name = "eth0";
  veth.container_netns = 5;
  veth.master = 7;
  veth.mtu = 1500;
  veth.container_mac = {2, 0x6e, 10, 89, 0, 2};
  add_veth(batch, veth);
  EXPECT_EQ(batch.size(), 4U);
  EXPECT_EQ(hex(std::string_view(batch.bytes()).substr(0, 152)), hex(bytes(R"(
    98000000 1000 0506 01000000 00000000 |
    00 00 0000 00000000 00000000 00000000 |
    0a00 0300 7665746830 00 0000 | 0800 0400 dc050000 |
    0800 0a00 07000000 | 0a00 0100 066e0a590002 0000 |
    5000 1280 | 0900 0100 7665746800 000000 |
      4000 0280 | 3c00 0180 | 00 00 0000 00000000 00000000 00000000 |
        0900 0300 6574683000 000000 | 0800 0400 dc050000 | 0a00 0100 026e0a590002 0000 |
        0800 1c00 05000000)")))
      << hex(batch.bytes());
}

TEST(Netlink, SequenceNumbersFindTheMessage) {
  NetlinkBatch batch;
  set_link_up(batch, 1, "lo");
  set_link_up(batch, 2, "eth0");
  EXPECT_EQ(batch.bytes().substr(32 + 8, 4), bytes("02000000"));
  EXPECT_EQ(batch.what().at(1), "link set eth0 up");
}

TEST(Netlink, AttributesNeverReachBeyondTheirMessage) {
  EXPECT_TRUE(NetlinkAttributes(bytes("0300 0100")).all().empty());     // shorter than its header
  EXPECT_TRUE(NetlinkAttributes(bytes("ff00 0100 61")).all().empty());  // longer than the message
  EXPECT_TRUE(NetlinkAttributes(bytes("0500")).all().empty());          // cut off
  EXPECT_EQ(NetlinkAttributes(bytes("0600 0100 6100 0000")).string(1), "a");
  EXPECT_EQ(NetlinkAttributes(bytes("0600 0180 6100")).string(1), "a");  // nested flag, no padding
  EXPECT_FALSE(NetlinkAttributes(bytes("0600 0100 6100")).u32(1));
}

TEST(Nft, AMapAsTheNftProgramDeclaresIt) {
  NetlinkBatch batch;
  NftSet set;
  set.name = "pub4";
  set.key_type = 0x30d;
  set.key_length = 8;
  set.data_type = 0x1cd;
  set.data_length = 8;
  nft_add_set(batch, {kFamilyInet, "q"}, set, 1);
  EXPECT_EQ(hex(batch.bytes()), hex(bytes(R"(
    58000000 090a 0104 01000000 00000000 | 01 00 0000 |
    0600 0100 71000000 | 0900 0200 7075623400 000000 | 0800 0300 00000008 | 0800 0400 0000030d |
    0800 0500 00000008 | 0800 0600 000001cd | 0800 0700 00000008 | 0800 0a00 00000001)")));
}

TEST(Nft, AnElementWithItsOwner) {
  NetlinkBatch batch;
  NftElement element;
  element.set = "m";
  element.key = bytes("06000000 1f900000");
  element.data = bytes("0a590002 00500000");
  element.comment = "abc";
  nft_add_element(batch, {kFamilyInet, "q"}, element);
  EXPECT_EQ(hex(batch.bytes()), hex(bytes(R"(
    58000000 0c0a 0104 01000000 00000000 | 01 00 0000 |
    0600 0100 71000000 | 0600 0200 6d000000 |
    3400 0380 | 3000 0180 |
      1000 0180 0c00 0100 06000000 1f900000 |
      1000 0280 0c00 0100 0a590002 00500000 |
      0a00 0600 00 04 61626300 0000)")))
      << hex(batch.bytes());
}

TEST(Nft, AJumpWhenTheAddressIsLocal) {
  NetlinkBatch batch;
  nft_rule(batch, {kFamilyInet, "q"}, "c", "fib daddr type local jump x", [&] {
    nft_address_is_local(batch);
    nft_verdict(batch, NftVerdict::Jump, "x");
  });
  EXPECT_NE(batch.bytes().find(std::string("fib\0", 4)), std::string::npos);
  EXPECT_NE(batch.bytes().find(bytes("0800 0100 fffffffd 0600 0200 78000000")), std::string::npos);
  EXPECT_EQ(batch.what().at(0), "add rule inet q c fib daddr type local jump x");
}

TEST(Nft, ATransactionAcknowledgesItsLastMessageOnly) {
  NetlinkBatch batch = nft_begin(7);
  nft_add_table(batch, {kFamilyInet, "q"});
  nft_delete_table(batch, {kFamilyInet, "q"});
  nft_end(batch);
  const std::string& raw = batch.bytes();
  EXPECT_EQ(hex(raw.substr(0, 28)),
            hex(bytes("1c000000 1000 0100 01000000 00000000 | 00 00 000a | 0800 0100 00000007")));
  EXPECT_EQ(hex(raw.substr(28 + 4, 4)), hex(bytes("000a 0104")));
  EXPECT_EQ(hex(raw.substr(56 + 4, 4)), hex(bytes("020a 0500")));
  EXPECT_EQ(hex(raw.substr(84 + 4, 4)), hex(bytes("1100 0100")));
}

}  // namespace
