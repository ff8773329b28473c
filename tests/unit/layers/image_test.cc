// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include <gtest/gtest.h>

#include "closest.h"
#include "image_writer.h"
#include "layer_dirs.h"
#include "reference.h"

namespace {

std::string digest_text(char c) {
  return "sha256:" + std::string(64, c);
}
std::string descriptor(char c, const std::string& more = "") {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
         digest_text(c) + R"(","size":7)" + more + "}";
}
std::string platform(char c, const std::string& architecture, const std::string& variant = "") {
  return descriptor(c, R"(,"platform":{"os":"linux","architecture":")" + architecture +
                           R"(","variant":")" + variant + "\"}");
}
std::string chosen(const std::vector<std::string>& entries, const Platform& wanted) {
  std::string json = R"({"schemaVersion":2,"manifests":[)";
  for (const std::string& entry : entries) json += (json.ends_with('[') ? "" : ",") + entry;
  const auto parsed = parse_index("index.json", json + "]}");
  if (!parsed) return parsed.error().text();
  const auto found = choose_platform(*parsed, wanted, "web");
  return found ? found->digest.hex().substr(0, 1) : found.error().text();
}

TEST(Digest, OnlyWhatTheGrammarAllows) {
  EXPECT_TRUE(Digest::parse(digest_text('a')));
  for (const std::string& bad :
       {std::string("sha256:../../x"), digest_text('A'), "sha256:" + std::string(63, 'a'),
        "sha256:" + std::string(65, 'a'), "sha512:" + std::string(128, 'a'), std::string(64, 'a'),
        std::string("sha256:"), std::string()})
    EXPECT_FALSE(Digest::parse(bad)) << bad;
  EXPECT_EQ(digest_of("").text(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// CVE-2021-41190: one document, two readings.
TEST(Image, ADocumentOfTwoTypesIsRefused) {
  const std::string both = R"({"config":)" + descriptor('a') + R"(,"layers":[],"manifests":[]})";
  EXPECT_FALSE(parse_manifest("m", both));
  EXPECT_FALSE(parse_index("i", both));
  EXPECT_FALSE(
      parse_manifest("m", R"({"mediaType":"application/vnd.oci.image.index.v1+json","config":)" +
                              descriptor('a') + R"(,"layers":[]})"));
  EXPECT_NE(
      parse_manifest("m", R"({"schemaVersion":1,"fsLayers":[]})").error().text().find("schema 1"),
      std::string::npos);
}

TEST(Image, ErrorsNameTheField) {
  const auto manifest = parse_manifest(
      "m", R"({"config":)" + descriptor('a') + R"(,"layers":[{"digest":"sha256:../x","size":1}]})");
  ASSERT_FALSE(manifest);
  EXPECT_NE(manifest.error().text().find("/layers/0/digest"), std::string::npos);
  EXPECT_FALSE(parse_manifest(
      "m", R"({"config":{"digest":")" + digest_text('a') + R"(","size":-1},"layers":[]})"));
}

TEST(Image, ReadsTheConfigurationAndToleratesNull) {
  const auto config = parse_image_config(
      "c", R"({"os":"linux","architecture":"amd64","config":{"Env":["A=b"],"Cmd":null,
               "Entrypoint":["/init"],"Labels":{"k":"v"},"ExposedPorts":{"80/tcp":{},"53/udp":{}}},
               "rootfs":{"type":"layers","diff_ids":[")" +
               digest_text('b') + R"("]},"unknown":1,"history":[{"empty_layer":true}]})");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->entrypoint, std::vector<std::string>{"/init"});
  EXPECT_TRUE(config->cmd.empty());
  EXPECT_EQ(config->exposed_ports, (std::vector<std::string>{"53/udp", "80/tcp"}));
  EXPECT_EQ(config->diff_ids.size(), 1U);
  EXPECT_TRUE(config->history.at(0).empty_layer);
  EXPECT_FALSE(parse_image_config("c", R"({"rootfs":{"type":"other"}})"));
}

TEST(Image, ThePlatformThatFitsBestTheFirstOfEquals) {
  const Platform amd{"linux", "amd64", ""};
  EXPECT_EQ(chosen({platform('a', "arm64"), platform('b', "amd64"), platform('c', "amd64")}, amd),
            "b");
  EXPECT_EQ(chosen({platform('a', "amd64", "v3"), platform('b', "amd64", "v1")}, amd), "b");
  const Platform arm{"linux", "arm", "v7"};
  EXPECT_EQ(
      chosen({platform('a', "arm", "v8"), platform('b', "arm", "v6"), platform('c', "arm", "v7")},
             arm),
      "c");
  EXPECT_EQ(
      chosen({platform('a', "arm", "v8"), platform('b', "arm", "v5"), platform('c', "arm", "v6")},
             arm),
      "c");
  EXPECT_EQ(chosen({platform('a', "arm64", "v8")}, {"linux", "arm64", ""}), "a");
  EXPECT_NE(chosen({platform('a', "s390x")}, amd).find("it has: linux/s390x"), std::string::npos);
  EXPECT_EQ(chosen({descriptor('d')}, amd), "d");
}

TEST(Image, AttestationsAreNeverChosen) {
  const std::string attestation =
      descriptor('a', R"(,"platform":{"os":"linux","architecture":"amd64"},
                 "annotations":{"vnd.docker.reference.type":"attestation-manifest"})");
  EXPECT_EQ(chosen({attestation, platform('b', "amd64")}, {"linux", "amd64", ""}), "b");
}

TEST(Image, ChainIdsFollowTheSpecification) {
  const Digest a = digest_of("a");
  const Digest b = digest_of("b");
  const auto chain = chain_ids({a, b});
  EXPECT_EQ(chain.at(0), a);
  EXPECT_EQ(chain.at(1), digest_of(a.text() + " " + b.text()));
}

TEST(Image, WhatIsWrittenCanBeRead) {
  const Descriptor config{std::string(kOciConfig), digest_of("c"), 1};
  const Descriptor layer{layer_media_type("gzip"), digest_of("l"), 2};
  const auto manifest = parse_manifest("m", write_manifest(config, {layer}));
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->layers.at(0).digest, layer.digest);
  EXPECT_EQ(manifest->layers.at(0).media_type, "application/vnd.oci.image.layer.v1.tar+gzip");
  EXPECT_EQ(layer_media_type("xz"), "");
}

TEST(Reference, NamesGetATag) {
  EXPECT_EQ(*full_name("web"), "web:latest");
  EXPECT_EQ(*full_name("localhost:5000/web"), "localhost:5000/web:latest");
  EXPECT_EQ(*full_name("a/b:1.2-rc.1"), "a/b:1.2-rc.1");
  for (const char* bad : {"", "/web", "../x", "a//b", "a b", "web:", "-a", "a..b", "a/../b"})
    EXPECT_FALSE(full_name(bad)) << bad;
}

TEST(Reference, SourcesHaveAPrefix) {
  const auto oci = *parse_source("oci:/images/debian:12");
  ASSERT_TRUE(oci);
  EXPECT_EQ(oci->path, "/images/debian");
  EXPECT_EQ(oci->tag, "12");
  EXPECT_EQ(*default_name(*oci, "12"), "debian:12");
  EXPECT_EQ(*default_name(*oci, "docker.io/library/x:1"), "docker.io/library/x:1");
  EXPECT_FALSE(*parse_source("busybox"));
  EXPECT_FALSE(parse_source("oci:"));
  const auto tar = *parse_source("tar:/a:b/root.tar.gz");
  EXPECT_EQ(tar->path, "/a:b/root.tar.gz");
  EXPECT_EQ(*default_name(*tar, std::nullopt), "root:latest");
}

TEST(Closest, OnlyWhatCanBeMeant) {
  EXPECT_EQ(closest("busybix:latest", {"debian:12", "busybox:latest"}), "busybox:latest");
  EXPECT_EQ(closest("web:1", {"quite-another:latest"}), "");
}

}  // namespace
