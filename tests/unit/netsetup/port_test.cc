// SPDX-License-Identifier: Apache-2.0
#include "port.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/fd.h"

namespace {

std::string parsed(std::string_view text) {
  const auto ports = parse_publish(text);
  if (!ports) return "error: " + ports.error().what;
  std::string out;
  for (const PublishedPort& port : *ports) out += (out.empty() ? "" : " ") + port.text();
  return out;
}

TEST(Publish, ReadsEveryForm) {
  EXPECT_EQ(parsed("8080:80"), "8080->80/tcp");
  EXPECT_EQ(parsed("5353:53/udp"), "5353->53/udp");
  EXPECT_EQ(parsed("127.0.0.1:8080:80/tcp"), "127.0.0.1:8080->80/tcp");
  EXPECT_EQ(parsed("[::1]:8080:80/sctp"), "[::1]:8080->80/sctp");
  EXPECT_EQ(parsed("8000-8002:90-92"), "8000->90/tcp 8001->91/tcp 8002->92/tcp");
}

TEST(Publish, TakesTheUnspecifiedAddressForAll) {
  EXPECT_EQ(parsed("0.0.0.0:80:80"), "80->80/tcp");
  EXPECT_EQ(parsed("[::]:80:80"), "80->80/tcp");
  EXPECT_EQ(parsed(":80:80"), "80->80/tcp");
}

TEST(Publish, RefusesWhatCannotBeMeant) {
  for (const char* bad : {"", "80", "80:", ":80", "0:80", "80:0", "65536:80", "80:65536",
                          "80:80/icmp", "80:80/", "a:80", "9-8:80-81", "80-81:80", "1.2.3:80:80",
                          "::1:80:80", "[::1:80:80", "80 :80", "-1:80", "80:80:80:80"})
    EXPECT_EQ(parsed(bad).substr(0, 6), "error:") << bad;
}

TEST(Publish, ErrorsNameTheArgument) {
  EXPECT_NE(parsed("80-81:80").find("'80-81:80'"), std::string::npos);
  EXPECT_EQ(parse_publish("80:80/icmp").error().hint, "use tcp, udp or sctp");
}

TEST(Publish, AProbeFindsTheListenerOfThisHost) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  PublishedPort port;
  port.host_port = ntohs(at.sin_port);
  const auto everywhere = probe_host_port(port, AF_INET);
  ASSERT_FALSE(everywhere);
  EXPECT_NE(everywhere.error().what.find("a program of this host uses the port"),
            std::string::npos);
  port.host_address = *parse_address("127.0.0.2");
  EXPECT_TRUE(probe_host_port(port, AF_INET));  // the listener is on another address
  port.host_address = *parse_address("192.0.2.77");
  EXPECT_NE(probe_host_port(port, AF_INET).error().what.find("no address 192.0.2.77"),
            std::string::npos);
}

}  // namespace
