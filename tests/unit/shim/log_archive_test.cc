// SPDX-License-Identifier: Apache-2.0
#include "log_archive.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>

#include "common/temp_dir.h"

#include "log_file.h"
#include "log_reader.h"

namespace {

Notices quiet_notices(const std::string& events) {
  Notices notices("web", EventLog::open("shim", events));
  notices.be_quiet();
  return notices;
}

class LogArchiveTest : public ::testing::Test {
 protected:
  void put(const std::string& suffix, const std::string& text) {
    ASSERT_TRUE(replace_file(path_ + suffix, "t stdout F " + text + "\n"));
  }
  bool exists(const std::string& suffix) { return ::access((path_ + suffix).c_str(), F_OK) == 0; }
  std::string names() {
    std::string out;
    for (const ArchivedLog& log : archived_logs(path_)) out += log.path.substr(path_.size()) + " ";
    return out;
  }
  std::string read(LogReader& reader) {
    text_.clear();
    EXPECT_TRUE(reader.read_on());
    return text_;
  }
  LogReader reader() {
    return LogReader({LogDriver::Kind::K8sFile, path_}, [this](const LogRecord& record) {
      text_ += record.text;
      return Result<void>();
    });
  }
  // What the shim does with its children when they end.
  void reap() {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    ASSERT_GT(pid, 0);
    EXPECT_TRUE(children_.ended(pid, exit_code(status)));
  }

  TempDir dir_ = *TempDir::create("/tmp", "log-archive-test-");
  std::string path_ = dir_.path() + "/log";
  std::string text_;
  Children children_;
  std::string events_ = dir_.path() + "/events";
  Notices notices_ = quiet_notices(events_);
};

TEST_F(LogArchiveTest, KnowsItsFilesAndNoOthers) {
  for (const char* suffix :
       {"", ".1", ".10", ".2.zst", ".3", ".3.zst", ".x", ".01", ".4.gz", ".-5"})
    put(suffix, "text");
  EXPECT_EQ(names(), ".1 .2.zst .3 .10 ");
}

TEST_F(LogArchiveTest, MakesRoomAndDropsTheOldest) {
  for (const char* suffix : {".1", ".2.zst", ".3"}) put(suffix, suffix);
  ASSERT_TRUE(make_room_for_newest(path_, 3));
  EXPECT_EQ(names(), ".2 .3.zst ");
}

// As a kill between two renames leaves them: nothing more is shifted than needed.
TEST_F(LogArchiveTest, FillsAGapInsteadOfDroppingTheOldest) {
  for (const char* suffix : {".1", ".3", ".4"}) put(suffix, suffix);
  ASSERT_TRUE(make_room_for_newest(path_, 4));
  EXPECT_EQ(names(), ".2 .3 .4 ");
  ASSERT_TRUE(make_room_for_newest(path_, 2));
  EXPECT_EQ(names(), ".2 ");
}

TEST_F(LogArchiveTest, AReaderPassesOverAGap) {
  put(".4", "one");
  put(".2", "two");
  put("", "three");
  LogReader all = reader();
  EXPECT_EQ(read(all), "one\ntwo\nthree\n");
}

TEST_F(LogArchiveTest, CompressesAllButTheNewestAndCanBeReadOn) {
  put(".3", "one");
  put(".2", "two");
  put(".1", "three");
  put("", "four");
  LogReader all = reader();
  EXPECT_EQ(read(all), "one\ntwo\nthree\nfour\n");
  LogArchiver archiver(children_, notices_, path_);
  archiver.tend();
  reap();
  reap();
  EXPECT_EQ(names(), ".1 .2.zst .3.zst ");
  EXPECT_FALSE(exists(".2"));
  EXPECT_FALSE(exists(".zst.new"));
  LogReader again = reader();
  EXPECT_EQ(read(again), "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(read(all), "");
}

TEST_F(LogArchiveTest, AReaderFindsItsPlaceInAFileThatWasCompressedMeanwhile) {
  put("", "one");
  LogReader all = reader();
  EXPECT_EQ(read(all), "one\n");
  LogFile file = *LogFile::open(path_, {1, 5, 0, true});
  file.compress_with(children_, notices_);
  const auto next = [&](std::string_view text) {
    ASSERT_TRUE(file.rotate());
    char* const room = file.room(text.size());
    std::copy(text.begin(), text.end(), room);
    file.commit(text.size());
    ASSERT_TRUE(file.flush());
  };
  next("t stdout F two\n");
  next("t stdout F three\n");
  reap();
  EXPECT_EQ(names(), ".1 .2.zst ");
  EXPECT_EQ(read(all), "two\nthree\n");
}

TEST_F(LogArchiveTest, AFileThatIsRotatedWhileItIsCompressedKeepsItsPlace) {
  put(".2", "one");
  put(".1", "two");
  LogArchiver archiver(children_, notices_, path_);
  archiver.tend();
  ASSERT_TRUE(make_room_for_newest(path_, 5));
  reap();
  EXPECT_EQ(names(), ".2 .3.zst ");
  reap();
  EXPECT_EQ(names(), ".2.zst .3.zst ");
}

TEST_F(LogArchiveTest, AKilledCompressionIsClearedAway) {
  put(".2", "whole");
  put(".2.zst", "half");
  put(".zst.new", "half");
  const LogArchiver archiver(children_, notices_, path_);
  EXPECT_EQ(names(), ".2 ");
  EXPECT_FALSE(exists(".2.zst"));
  EXPECT_FALSE(exists(".zst.new"));
}

TEST_F(LogArchiveTest, WhatCannotBeCompressedStaysPlainAndIsToldOnce) {
  put(".3", "one");
  put(".2", "two");
  ASSERT_EQ(::mkdir((path_ + ".zst.new").c_str(), 0700), 0);
  LogArchiver archiver(children_, notices_, path_);
  archiver.tend();
  archiver.tend();
  EXPECT_EQ(names(), ".2 .3 ");
  const std::string events = *read_file(events_);
  EXPECT_EQ(std::ranges::count(events, '\n'), 1);
  EXPECT_NE(events.find("log-not-compressed"), std::string::npos);
  EXPECT_NE(events.find("EISDIR"), std::string::npos);
}

TEST_F(LogArchiveTest, AnOldLogBelongsIntoTheNextFile) {
  LogFile file = *LogFile::open(path_, {0, 1, 60, false});
  EXPECT_FALSE(file.is_full_for(10, 1000));
  std::fill_n(file.room(4), 4, 'x');
  file.commit(4);
  ASSERT_TRUE(file.flush());
  EXPECT_FALSE(file.is_full_for(10, 1059));
  EXPECT_TRUE(file.is_full_for(10, 1060));
}

}  // namespace
