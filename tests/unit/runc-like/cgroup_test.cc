// SPDX-License-Identifier: Apache-2.0
// The drivers against a directory tree that looks like a cgroup file system:
// what they write where, and what they put back. Freezing, killing and moving
// need the kernel and are tests of runc-like-cgroup.bats.
#include "cgroup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/temp_dir.h"

#include "cgroup_files.h"

namespace {

class FakeCgroups : public testing::Test {
 protected:
  FakeCgroups() : dir_(*TempDir::create("/tmp", "cgroup-test-")) {}

  // Files as the kernel would make them with the directory.
  void populate(const std::string& path, const std::map<std::string, std::string>& files) {
    ASSERT_TRUE(make_directories(dir_.path() + path));
    for (const auto& [name, text] : files)
      ASSERT_TRUE(replace_file(dir_.path() + path + "/" + name, text));
  }
  std::string text(const std::string& path) { return *read_file(dir_.path() + path); }
  bool exists(const std::string& path) { return ::access((dir_.path() + path).c_str(), F_OK) == 0; }
  CgroupLayout unified(const std::string& own) { return {{{"", dir_.path(), own}}}; }
  CgroupLayout legacy() {
    CgroupLayout layout;
    for (const char* name : {"cpu,cpuacct", "memory", "freezer", "pids"})
      layout.hierarchies.push_back({name, dir_.path() + "/" + name, "/own"});
    return layout;
  }

  TempDir dir_;
};

std::string where(const CgroupLayout& layout, const std::string& path) {
  const auto cgroup = Cgroup::create(layout, {CgroupManager::Cgroupfs, path, "web"});
  return cgroup ? cgroup->paths().begin()->second.substr(layout.hierarchies[0].mount.size())
                : cgroup.error().text();
}

TEST_F(FakeCgroups, PlaceTheContainerWherePathAndIdSay) {
  populate("/a/b", {});
  EXPECT_EQ(where(unified("/a/b"), ""), "/a/web") << "beside our own, which holds processes";
  EXPECT_EQ(where(unified("/a/b"), "x"), "/a/x");
  EXPECT_EQ(where(unified("/"), ""), "/web");
  EXPECT_EQ(where(unified("/a/b"), "//x/./y/"), "/x/y");
  EXPECT_EQ(where(unified("/a/b"), "/x/../../y"),
            "cgroup path '/x/../../y' contains '..': Invalid argument (EINVAL)");
  EXPECT_EQ(where(unified("/a"), "/"),
            "cgroup path '/' names no cgroup: Invalid argument (EINVAL)");
}

TEST_F(FakeCgroups, LeaveNothingUnlessKept) {
  {
    const auto cgroup =
        Cgroup::create(unified("/"), {CgroupManager::Cgroupfs, "/new/deep/web", "web"});
    ASSERT_TRUE(cgroup);
    EXPECT_TRUE(exists("/new/deep/web"));
  }
  EXPECT_FALSE(exists("/new"));
}

TEST_F(FakeCgroups, PassControllersDownToTheParent) {
  populate("", {{"cgroup.controllers", "cpu memory pids\n"}, {"cgroup.subtree_control", "cpu\n"}});
  populate("/a",
           {{"cgroup.controllers", "cpu memory\n"}, {"cgroup.subtree_control", "cpu memory\n"}});
  ASSERT_TRUE(Cgroup::create(unified("/"), {CgroupManager::Cgroupfs, "/a/web", "web"}));
  EXPECT_EQ(text("/cgroup.subtree_control").substr(0, 13), "+memory +pids");
  EXPECT_EQ(text("/a/cgroup.subtree_control"), "cpu memory\n") << "nothing is missing";
}

TEST_F(FakeCgroups, RefuseACgroupThatHoldsProcesses) {
  populate("/web", {{"cgroup.procs", "17\n18\n"}});
  const auto cgroup = Cgroup::create(unified("/"), {CgroupManager::Cgroupfs, "", "web"});
  ASSERT_FALSE(cgroup);
  EXPECT_EQ(cgroup.error().code, EBUSY);
  EXPECT_NE(cgroup.error().what.find("is not empty: 2 process(es) found"), std::string::npos);
}

TEST_F(FakeCgroups, WriteLimitsAndPutThemBackWhenOneFails) {
  populate("/web", {{"memory.max", "max"},
                    {"memory.swap.max", "max"},
                    {"io.max", "8:0 rbps=5"},
                    {"cgroup.procs", ""}});
  auto cgroup = Cgroup::create(unified("/"), {CgroupManager::Cgroupfs, "", "web"});
  ASSERT_TRUE(cgroup);
  cgroup->keep();
  Resources r;
  r.memory.limit = 4096;
  r.memory.swap = 4096;
  r.block_io.read_bps = {{8, 0, 7, "/linux/resources/blockIO/throttleReadBpsDevice/0"}};
  r.pids = 5;  // no such file: fails last
  const auto applied = cgroup->apply(r);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().field, "/linux/resources/pids/limit");
  EXPECT_EQ(applied.error().code, ENOENT);
  EXPECT_EQ(text("/web/memory.max").substr(0, 3), "max");
  EXPECT_EQ(text("/web/memory.swap.max").substr(0, 3), "max");
  EXPECT_EQ(text("/web/io.max").substr(0, 10), "8:0 rbps=5");
}

TEST_F(FakeCgroups, KeepTheQuotaWhenOnlyThePeriodChanges) {
  populate("/web", {{"cpu.max", "30000 100000"}, {"cgroup.procs", ""}});
  auto cgroup = Cgroup::create(unified("/"), {CgroupManager::Cgroupfs, "", "web"});
  ASSERT_TRUE(cgroup);
  cgroup->keep();
  Resources r;
  r.cpu.period = 50000;
  ASSERT_TRUE(cgroup->apply(r));
  EXPECT_EQ(text("/web/cpu.max").substr(0, 11), "30000 50000");
}

TEST_F(FakeCgroups, RefuseALimitBelowThePresentUseWhenAsked) {
  populate("/web", {{"memory.current", "9000"}, {"memory.max", "max"}, {"cgroup.procs", ""}});
  auto cgroup = Cgroup::create(unified("/"), {CgroupManager::Cgroupfs, "", "web"});
  ASSERT_TRUE(cgroup);
  cgroup->keep();
  Resources r;
  r.memory.limit = 4096;
  ASSERT_TRUE(cgroup->apply(r));
  r.memory.check_before_update = true;
  const auto applied = cgroup->apply(r);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().field, "/linux/resources/memory/limit");
}

TEST_F(FakeCgroups, EnterOnlyNeededHierarchiesOfV1UnlessAPathIsNamed) {
  for (const char* name : {"cpu,cpuacct", "memory", "freezer", "pids"})
    populate(std::string("/") + name + "/own", {});
  const auto small = Cgroup::create(legacy(), {CgroupManager::Cgroupfs, "", "web"});
  ASSERT_TRUE(small);
  EXPECT_EQ(small->paths().size(), 1U);
  EXPECT_EQ(small->path_of("freezer"), dir_.path() + "/freezer/own/web");
  const auto whole = Cgroup::create(legacy(), {CgroupManager::Cgroupfs, "/x", "web"});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->paths().size(), 4U);
  EXPECT_EQ(whole->path_of("cpuacct"), dir_.path() + "/cpu,cpuacct/x");
}

TEST_F(FakeCgroups, ALimitBringsItsHierarchyOfV1) {
  for (const char* name : {"freezer", "memory", "pids", "cpu,cpuacct"})
    populate(std::string("/") + name + "/own", {});
  populate("/pids/own/web", {{"pids.max", "max"}, {"cgroup.procs", ""}});
  auto cgroup = Cgroup::create(legacy(), {CgroupManager::Cgroupfs, "", "web"});
  ASSERT_TRUE(cgroup);
  EXPECT_EQ(cgroup->path_of("pids"), "");
  Resources r;
  r.pids = 12;
  ASSERT_TRUE(cgroup->apply(r));
  EXPECT_EQ(cgroup->path_of("pids"), dir_.path() + "/pids/own/web");
  EXPECT_EQ(text("/pids/own/web/pids.max").substr(0, 2), "12");
}

TEST_F(FakeCgroups, SurviveTheStateFile) {
  auto cgroup = Cgroup::create(unified("/"), {CgroupManager::Cgroupfs, "/x/web", "web"});
  ASSERT_TRUE(cgroup);
  const auto document = JsonDocument::parse("state.json", cgroup->to_json());
  ASSERT_TRUE(document);
  auto again = Cgroup::from_json(document->root());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->paths(), cgroup->paths());
  EXPECT_EQ(again->to_json(), cgroup->to_json());
  ASSERT_TRUE(again->destroy());
  EXPECT_FALSE(exists("/x/web"));
  EXPECT_TRUE(again->destroy()) << "fine when already gone";
}

TEST_F(FakeCgroups, OpenADoorForInit) {
  for (const char* name : {"cpu,cpuacct", "memory", "freezer", "pids"})
    populate(std::string("/") + name + "/own/web", {{"tasks", ""}, {"cgroup.procs", ""}});
  const auto cgroup = Cgroup::create(legacy(), {CgroupManager::Cgroupfs, "web", "web"});
  ASSERT_TRUE(cgroup);
  const auto door = cgroup->door();
  ASSERT_TRUE(door);
  EXPECT_FALSE(door->directory);
  EXPECT_EQ(door->tasks.size(), 4U);
}

TEST(CgroupDisabled, DoesNothing) {
  auto cgroup = Cgroup::create({}, {CgroupManager::Disabled, "", "web"});
  ASSERT_TRUE(cgroup);
  EXPECT_FALSE(cgroup->exists());
  Resources r;
  r.pids = 1;
  EXPECT_TRUE(cgroup->apply(r));
  EXPECT_TRUE(cgroup->add(1));
  EXPECT_TRUE(cgroup->kill_all());
  EXPECT_TRUE(cgroup->destroy());
}

TEST(CgroupOptional, IsAbsentWhereNoneCanBeMade) {
  auto cgroup = Cgroup::create({}, {CgroupManager::Cgroupfs, "", "web", true});
  ASSERT_TRUE(cgroup);
  EXPECT_TRUE(cgroup->apply({}));
  Resources r;
  r.pids = 1;
  EXPECT_FALSE(cgroup->apply(r)) << "a limit without a cgroup is an error";
  EXPECT_FALSE(Cgroup::create({}, {CgroupManager::Cgroupfs, "", "web"}));
}

TEST(CgroupLayoutText, FindsHierarchiesWhereverTheyAreMounted) {
  const std::string_view cgroup = "4:memory:/a/own\n2:cpu,cpuacct:/\n1:name=systemd:/s\n0::/u\n";
  const std::string_view mountinfo =
      "30 29 0:26 / /cg/memory rw - cgroup cgroup rw,memory\n"
      "31 29 0:27 / /cg/cpu rw,nosuid shared:5 - cgroup cgroup rw,cpuacct,cpu\n"
      "32 29 0:28 / /cg/sd rw - cgroup none rw,xattr,name=systemd\n"
      "33 29 0:29 /u /cg/two rw - cgroup2 cgroup2 rw\n"
      "34 29 0:30 / / rw - ext4 /dev/vda rw\nnonsense\n";
  const CgroupLayout layout = parse_cgroup_layout(cgroup, mountinfo);
  ASSERT_EQ(layout.hierarchies.size(), 4U);
  EXPECT_FALSE(layout.unified());
  EXPECT_EQ(layout.of("memory")->mount, "/cg/memory");
  EXPECT_EQ(layout.of("memory")->own, "/a/own");
  EXPECT_EQ(layout.of("cpuacct")->mount, "/cg/cpu");
  EXPECT_EQ(layout.of("name=systemd")->mount, "/cg/sd");
  EXPECT_EQ(layout.v2()->mount, "/cg/two");
  EXPECT_EQ(layout.v2()->own, "/") << "the mount begins at our own cgroup";
  EXPECT_EQ(layout.of("pids"), nullptr);
}

TEST(CgroupFiles, FindKeysOfFlatFiles) {
  EXPECT_EQ(keyed_value("populated 1\nfrozen 0\n", "frozen"), "0");
  EXPECT_EQ(keyed_value("populated 1\nfrozen 0", "frozen"), "0");
  EXPECT_EQ(keyed_value("oom_kill 3\n", "oom"), "");
  EXPECT_EQ(keyed_value("", "x"), "");
}

}  // namespace
