// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/temp_dir.h"

namespace {

Record record_of(const std::string& id) {
  Record record;
  record.oci_version = "1.2.0";
  record.id = id;
  record.bundle = "/b";
  record.rootfs = "/b/rootfs";
  record.created = "2026-11-22T16:25:21.725223214Z";
  record.pid = ::getpid();
  record.start_time = process_start_time(::getpid()).value_or(0);
  record.annotations = {{"k", "v"}};
  return record;
}

TEST(Store, KeepsWhatWasWritten) {
  auto root = TempDir::create("/tmp", "store-test-");
  ASSERT_TRUE(root);
  {
    auto made = Container::create(root->path(), "a");
    ASSERT_TRUE(made);
    ASSERT_TRUE(made->write(record_of("a")));
    made->keep();
  }
  auto again = Container::open(root->path(), "a");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->record().annotations.at("k"), "v");
  EXPECT_TRUE(again->process());
  EXPECT_EQ(again->status_but_paused(), Status::Running);
}

TEST(Store, RemovesWhatWasNotKept) {
  auto root = TempDir::create("/tmp", "store-test-");
  ASSERT_TRUE(root);
  {
    auto made = Container::create(root->path(), "a");
    ASSERT_TRUE(made);
    EXPECT_FALSE(Container::create(root->path(), "a"));
  }
  EXPECT_FALSE(Container::open(root->path(), "a"));
}

TEST(Store, DoesNotTakeARecycledPidForTheContainer) {
  auto root = TempDir::create("/tmp", "store-test-");
  ASSERT_TRUE(root);
  auto made = Container::create(root->path(), "a");
  ASSERT_TRUE(made);
  Record record = record_of("a");
  record.start_time += 1;
  ASSERT_TRUE(made->write(record));
  EXPECT_FALSE(made->process());
  EXPECT_EQ(made->status_but_paused(), Status::Stopped);
}

TEST(Store, RefusesIdsThatAreNoNames) {
  for (const char* bad : {"", ".", "..", "a/b", "a b", "é", "a\n"})
    EXPECT_FALSE(check_id(bad)) << bad;
  for (const char* good : {"a", "A.b_c-1+2", "..."}) EXPECT_TRUE(check_id(good)) << good;
}

TEST(Store, PrintsThePidOfALivingContainerOnly) {
  EXPECT_NE(state_json(record_of("a"), Status::Stopped).find("\"pid\": 0"), std::string::npos);
  EXPECT_EQ(state_json(record_of("a"), Status::Running).find("\"pid\": 0"), std::string::npos);
}

}  // namespace
