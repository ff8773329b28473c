// SPDX-License-Identifier: Apache-2.0
#include "cni_request.h"

#include <gtest/gtest.h>

namespace {

constexpr const char* kConfig = R"({"cniVersion":"0.4.0","name":"pods","type":"netsetup",
  "bridge":"pods0","stateDir":"/tmp/s","ipam":{"type":"host-local","subnet":"10.3.0.0/24"},
  "args":{"cni":{"ips":["10.3.0.8"],"mac":"02:00:00:00:00:01"}},
  "runtimeConfig":{"mac":"02:00:00:00:00:02","portMappings":[
    {"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"127.0.0.1"},
    {"hostPort":53,"containerPort":53,"protocol":"udp","hostIP":"0.0.0.0"}]},
  "cni.dev/valid-attachments":[{"containerID":"a","ifname":"eth0"}]})";

TEST(CniRequest, TakesWhatTheEngineAsksForTheStrongestLast) {
  const CniEnvironment environment{"ADD", "pod1", "/run/netns/x", "eth0",
                                   "IgnoreUnknown=1;MAC=02:00:00:00:00:00"};
  const JsonDocument config = *JsonDocument::parse("x", kConfig);
  const auto request = read_cni_request(environment, config.root());
  ASSERT_TRUE(request) << request.error().text();
  EXPECT_EQ(request->network.bridge, "pods0");
  EXPECT_TRUE(request->network.masquerade);
  EXPECT_EQ(mac_text(*request->attach.mac), "02:00:00:00:00:02");
  ASSERT_EQ(request->attach.addresses.size(), 1U);
  EXPECT_EQ(request->attach.addresses[0].text(), "10.3.0.8");
  ASSERT_EQ(request->attach.ports.size(), 2U);
  EXPECT_EQ(request->attach.ports[0].text(), "127.0.0.1:8080->80/tcp");
  EXPECT_EQ(request->attach.ports[1].text(), "53->53/udp");
  EXPECT_TRUE(valid_attachments(config.root())->contains("a/eth0"));
}

TEST(CniRequest, FindsArgumentsAmongOthers) {
  EXPECT_EQ(cni_argument("IgnoreUnknown=1;IP=10.0.0.1;K8S_POD_NAME=p", "IP"), "10.0.0.1");
  EXPECT_EQ(cni_argument("XIP=1;IP=2", "IP"), "2");
  EXPECT_EQ(cni_argument("IP", "IP"), "");
  EXPECT_EQ(cni_argument("", "IP"), "");
  EXPECT_EQ(cni_argument("IP=a=b", "IP"), "a=b");
}

TEST(CniRequest, NamesWhatIsMissingInTheEnvironment) {
  const auto error = [](const CniEnvironment& environment) {
    const auto wrong = check_cni_environment(environment);
    return wrong ? wrong->message : "fine";
  };
  EXPECT_EQ(error({"ADD", "", "", "", ""}),
            "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing");
  EXPECT_EQ(error({"DEL", "a", "", "eth0", ""}), "fine");
  EXPECT_EQ(error({"GC", "", "", "", ""}), "fine");
  EXPECT_EQ(error({"FROB", "", "", "", ""}), "unknown CNI_COMMAND: FROB");
  EXPECT_EQ(error({"DEL", "../a", "", "eth0", ""}), "invalid characters in containerID");
  EXPECT_EQ(error({"DEL", "a", "", "a/b", ""}), "invalid interface name");
}

TEST(CniRequest, TheVersionIsFoundEvenInAWrongConfiguration) {
  EXPECT_EQ(cni_version_of(R"({"cniVersion":"1.0.0"})"), "1.0.0");
  EXPECT_EQ(cni_version_of("{"), "0.1.0");
  EXPECT_EQ(cni_version_of("[]"), "0.1.0");
  EXPECT_EQ(cni_version_of(R"({"cniVersion":7})"), "0.1.0");
}

}  // namespace
