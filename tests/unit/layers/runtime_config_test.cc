// SPDX-License-Identifier: Apache-2.0
#include "runtime_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "common/json.h"
#include "common/temp_dir.h"

namespace {

BundleOptions options() {
  BundleOptions out;
  out.name = out.hostname = "web";
  return out;
}

JsonDocument config(const ImageConfig& image, const BundleOptions& given,
                    const ResolvedUser& user = {}) {
  auto text = runtime_config(image, given, "/bundle", user);
  EXPECT_TRUE(text) << text.error().text();
  auto document = JsonDocument::parse("config.json", *text);
  EXPECT_TRUE(document) << document.error().text();
  return std::move(*document);
}

std::vector<std::string> process(const ImageConfig& image, const BundleOptions& given,
                                 std::string_view key, const ResolvedUser& user = {}) {
  const JsonDocument document = config(image, given, user);
  return *document.root().at("process")->at(key)->strings();
}

bool has(const std::vector<std::string>& list, const std::string& value) {
  return std::ranges::find(list, value) != list.end();
}

TEST(RuntimeConfig, EntrypointThenCommand) {
  ImageConfig image;
  image.entrypoint = {"/init", "-v"};
  image.cmd = {"serve"};
  using Words = std::vector<std::string>;
  EXPECT_EQ(process(image, options(), "args"), (Words{"/init", "-v", "serve"}));
  BundleOptions given = options();
  given.args = {"other"};
  EXPECT_EQ(process(image, given, "args"), (Words{"/init", "-v", "other"}));
  given.args.clear();
  given.entrypoint = Words{"/bin/sh"};
  EXPECT_EQ(process(image, given, "args"), (Words{"/bin/sh"}));
  EXPECT_EQ(process(ImageConfig(), options(), "args"), (Words{"sh"}));
}

TEST(RuntimeConfig, TheUsersVariablesWinAndBadOnesAreDropped) {
  ImageConfig image;
  image.env = {"A=image", "B=image", "HOST_SECRET", "=x"};
  BundleOptions given = options();
  given.env = {"A=user"};
  const auto env = process(image, given, "env", {.home = "/home/alice"});
  EXPECT_TRUE(has(env, "A=user"));
  EXPECT_FALSE(has(env, "A=image"));
  EXPECT_TRUE(has(env, "B=image"));
  EXPECT_TRUE(has(env, "HOME=/home/alice"));
  EXPECT_FALSE(has(env, "HOST_SECRET"));  // CVE-2026-57231
  EXPECT_TRUE(std::ranges::any_of(env, [](const auto& e) { return e.starts_with("PATH=/"); }));
}

TEST(RuntimeConfig, LabelsWinOverTheImplicitAnnotations) {
  ImageConfig image;
  image.platform = {"linux", "amd64", ""};
  image.author = "them";
  image.exposed_ports = {"53/udp", "80/tcp"};
  image.labels = {{"org.opencontainers.image.author", "label"},
                  {"k", "v"},
                  {"io.containerd.plugin", "x"},
                  {"run.oci.hooks.stdout", "/etc/passwd"}};
  const JsonDocument document = config(image, options());
  const JsonView notes = *document.root().at("annotations");
  EXPECT_EQ(*notes.at("org.opencontainers.image.author")->string(), "label");
  EXPECT_EQ(*notes.at("org.opencontainers.image.exposedPorts")->string(), "53/udp,80/tcp");
  EXPECT_EQ(*notes.at("k")->string(), "v");
  EXPECT_FALSE(notes.find("io.containerd.plugin"));  // CVE-2026-53488
  EXPECT_FALSE(notes.find("run.oci.hooks.stdout"));
}

// CVE-2024-21626
TEST(RuntimeConfig, NoWorkingDirectoryInProc) {
  ImageConfig image;
  for (const char* dir : {"/proc/self/fd/7", "proc", "/x/../proc/1/cwd"}) {
    image.working_dir = dir;
    EXPECT_FALSE(working_directory(image, options())) << dir;
  }
  image.working_dir = "srv/../var/www/";
  EXPECT_EQ(*working_directory(image, options()), "/var/www");
}

// CVE-2019-16884
TEST(RuntimeConfig, NoVolumeOverWhatTheRuntimeProtects) {
  for (const char* volume : {"/proc", "/sys/fs", "/dev", "/", "/a/../proc"}) {
    ImageConfig image;
    image.volumes = {volume};
    EXPECT_FALSE(runtime_config(image, options(), "/bundle", {})) << volume;
  }
}

TEST(RuntimeConfig, TheHostsNetworkHasNoNamespaceAndNoSysctl) {
  BundleOptions given = options();
  given.network = "host";
  const JsonDocument document = config(ImageConfig(), given);
  const JsonView linux_part = *document.root().at("linux");
  EXPECT_FALSE(linux_part.find("sysctl"));
  const JsonView list = *linux_part.at("namespaces");
  const auto namespaces = *list.items();
  for (const JsonView& ns : namespaces) EXPECT_NE(*ns.at("type")->string(), "network");
}

TEST(RuntimeConfig, LimitsAndVolumes) {
  BundleOptions given = options();
  given.memory = 64 << 20;
  given.cpus = 1.5;
  given.volumes = {{"/src", "/dst", true}};
  const JsonDocument document = config(ImageConfig(), given);
  const JsonView resources = *document.root().at("linux")->at("resources");
  EXPECT_EQ(*resources.at("memory")->at("limit")->integer(), 64 << 20);
  EXPECT_EQ(*resources.at("cpu")->at("quota")->integer(), 150000);
  const auto mounts = *document.root().at("mounts")->items();
  EXPECT_EQ(*mounts.back().at("source")->string(), "/src");
  EXPECT_TRUE(has(*mounts.back().at("options")->strings(), "ro"));
}

class UserLookup : public testing::Test {
 protected:
  void SetUp() override {
    const char* base = std::getenv("TMPDIR");
    dir_.emplace(*TempDir::create(base != nullptr ? base : "/tmp", "user-lookup-"));
    ASSERT_EQ(::mkdirat(dir_->fd().get(), "etc", 0755), 0);
  }
  void tables(const std::string& passwd, const std::string& group) {
    ASSERT_TRUE(write_file_at(dir_->fd(), "etc/passwd", passwd));
    ASSERT_TRUE(write_file_at(dir_->fd(), "etc/group", group));
  }
  std::string look(const std::string& user) {
    const auto found = resolve_user(dir_->fd(), user);
    if (!found) return found.error().text();
    std::string out = std::to_string(found->uid) + ":" + std::to_string(found->gid);
    for (const gid_t gid : found->additional_gids) out += "," + std::to_string(gid);
    return out + " " + found->home;
  }
  std::optional<TempDir> dir_;
};

TEST_F(UserLookup, ByNameAndNumber) {
  tables("root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbroken\n",
         "root:x:0:\nstaff:x:50:alice,bob\nadm:x:4:alice\nalice:x:1000:alice\n");
  EXPECT_EQ(look(""), "0:0 /root");
  EXPECT_EQ(look("alice"), "1000:1000,4,50 /home/alice");
  EXPECT_EQ(look("1000"), "1000:1000,4,50 /home/alice");
  EXPECT_EQ(look("alice:staff"), "1000:50 /home/alice");
  EXPECT_EQ(look("alice:7"), "1000:7 /home/alice");
  EXPECT_EQ(look("4711"), "4711:0 /");
  EXPECT_NE(look("mallory").find("no user 'mallory'"), std::string::npos);
  EXPECT_NE(look("alice:nobody").find("no group 'nobody'"), std::string::npos);
}

// CVE-2024-40635, CVE-2026-46680: a number that does not fit is never a name or root.
TEST_F(UserLookup, NumbersThatDoNotFitAreErrors) {
  tables("4294967296:x:0:0::/:/bin/sh\n", "");
  for (const char* user : {"4294967296", "2147483648", "0:99999999999", "99999999999999999999"})
    EXPECT_NE(look(user).find("out of range"), std::string::npos) << user;
}

// CVE-2024-9676: the host's files through the image's links.
TEST_F(UserLookup, TheTablesAreTheImagesOwn) {
  ASSERT_EQ(::symlinkat("/etc/passwd", dir_->fd().get(), "etc/passwd"), 0);
  EXPECT_NE(look("root"), "0:0 /root");
  ASSERT_EQ(::unlinkat(dir_->fd().get(), "etc/passwd", 0), 0);
  ASSERT_EQ(::mkfifoat(dir_->fd().get(), "etc/passwd", 0600), 0);
  EXPECT_NE(look("root").find("no regular file"), std::string::npos);
}

// CVE-2026-47262
TEST_F(UserLookup, HugeTablesAreRefused) {
  tables(std::string(2'000'000, 'x'), "");
  EXPECT_NE(look("root").find("EFBIG"), std::string::npos);
}

}  // namespace
