// SPDX-License-Identifier: Apache-2.0
#include "log_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstring>

#include "common/temp_dir.h"

#include "line_sink.h"
#include "log_format.h"
#include "log_reader.h"

namespace {

class LogFileTest : public ::testing::Test {
 protected:
  LogFileTest() : dir_(*TempDir::create("/tmp", "log-file-test-")), path_(dir_.path() + "/log") {}

  LogFile open(LogLimits limits = {}) { return *LogFile::open(path_, limits); }
  static void append(LogFile& file, std::string_view text) {
    char* const room = file.room(text.size());
    ASSERT_NE(room, nullptr);
    std::memcpy(room, text.data(), text.size());
    file.commit(text.size());
  }
  std::string content(const std::string& suffix = "") { return *read_file(path_ + suffix); }
  bool exists(const std::string& suffix) { return ::access((path_ + suffix).c_str(), F_OK) == 0; }

  TempDir dir_;
  std::string path_;
};

// Writes beyond `size` fail with EFBIG, as they would with ENOSPC on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t size) {
    (void)::signal(SIGXFSZ, SIG_IGN);
    (void)::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit full = {size, before_.rlim_max};
    (void)::setrlimit(RLIMIT_FSIZE, &full);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { (void)::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

TEST_F(LogFileTest, AppendsToWhatIsThere) {
  ASSERT_TRUE(replace_file(path_, "old\n"));
  LogFile file = open();
  append(file, "new\n");
  EXPECT_TRUE(file.flush());
  EXPECT_EQ(content(), "old\nnew\n");
}

TEST_F(LogFileTest, KeepsTheRestWhenTheDiskIsFullAndWritesItLater) {
  LogFile file = open();
  append(file, "0123456789");
  {
    const FullDisk full(4);
    EXPECT_FALSE(file.flush());
    EXPECT_EQ(file.last_errno(), EFBIG);
    EXPECT_EQ(file.unwritten(), 6U);
    EXPECT_EQ(content(), "0123");
  }
  EXPECT_TRUE(file.flush());
  EXPECT_EQ(content(), "0123456789");
  EXPECT_EQ(file.unwritten(), 0U);
}

TEST_F(LogFileTest, RotationKeepsTheNumberedFilesAskedFor) {
  LogFile file = open({1, 2});
  for (const char* text : {"1\n", "2\n", "3\n", "4\n"}) {
    append(file, text);
    ASSERT_TRUE(file.flush());
    ASSERT_TRUE(file.rotate());
  }
  EXPECT_EQ(content(), "");
  EXPECT_EQ(content(".1"), "4\n");
  EXPECT_EQ(content(".2"), "3\n");
  EXPECT_FALSE(exists(".3"));
}

TEST_F(LogFileTest, WritesOnIntoTheOldFileWhenRotationFails) {
  LogFile file = open({4, 1});
  append(file, "old\n");
  ASSERT_TRUE(file.flush());
  ASSERT_TRUE(make_directories(path_ + ".1/blocks"));
  EXPECT_FALSE(file.rotate());
  append(file, "new\n");
  ASSERT_TRUE(file.flush());
  EXPECT_EQ(content(), "old\nnew\n");
}

TEST_F(LogFileTest, ReopenFollowsTheNameNotTheFile) {
  LogFile file = open();
  append(file, "before\n");
  ASSERT_TRUE(file.flush());
  ASSERT_EQ(::rename(path_.c_str(), (path_ + ".moved").c_str()), 0);
  ASSERT_TRUE(file.reopen());
  append(file, "after\n");
  ASSERT_TRUE(file.flush());
  EXPECT_EQ(content(), "after\n");
  EXPECT_EQ(content(".moved"), "before\n");
}

TEST_F(LogFileTest, AMissingDirectoryIsAnErrorThatNamesTheFile) {
  const auto file = LogFile::open("/nonexistent/log");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().text(),
            "log: open '/nonexistent/log': No such file or directory (ENOENT)");
}

// Every line is in exactly one of the files, whole, and none is larger than allowed.
TEST_F(LogFileTest, RotatesBetweenLinesOnly) {
  const Notices notices;
  LineSink<K8sFormat> sink(open({200, 50}), notices);
  std::string lines;
  for (int i = 0; i < 60; ++i) lines += "line " + std::to_string(i) + "\n";
  sink.offer({Stream::Out, lines, {}});
  ASSERT_EQ(sink.pump(), LogSink::Progress::Done);
  EXPECT_LE(content(".1").size(), 200U);
  std::string read;
  LogReader reader({LogDriver::Kind::K8sFile, path_}, [&](const LogRecord& record) {
    read += record.text;
    return Result<void>();
  });
  ASSERT_TRUE(reader.read_on());
  EXPECT_EQ(read, lines);
}

TEST_F(LogFileTest, ALineSinkResumesWhereTheDiskWasFull) {
  const Notices notices;
  LineSink<K8sFormat> sink(open(), notices);
  std::string lines;
  for (int i = 0; i < 20000; ++i) lines += "line " + std::to_string(i) + "\n";
  sink.offer({Stream::Out, lines, {}});
  {
    const FullDisk full(300000);
    ASSERT_EQ(sink.pump(), LogSink::Progress::Retry);
    EXPECT_GT(sink.unwritten(), 0U);
  }
  ASSERT_EQ(sink.pump(), LogSink::Progress::Done);
  std::string read;
  LogReader reader({LogDriver::Kind::K8sFile, path_}, [&](const LogRecord& record) {
    read += record.text;
    return Result<void>();
  });
  ASSERT_TRUE(reader.read_on());
  EXPECT_EQ(read, lines);
}

TEST_F(LogFileTest, SplitsLongLinesBetweenCharacters) {
  const Notices notices;
  LineSink<JsonFormat> sink(open(), notices);
  std::string line = "x";
  while (line.size() < 3 * kLineLimit) line += "\xe2\x82\xac";
  line += "\n";
  sink.offer({Stream::Out, line, {}});
  ASSERT_EQ(sink.pump(), LogSink::Progress::Done);
  EXPECT_EQ(content().find("\\ufffd"), std::string::npos);
  std::string read;
  LogReader reader({LogDriver::Kind::Json, path_}, [&](const LogRecord& record) {
    EXPECT_LE(record.text.size(), kLineLimit);
    read += record.text;
    return Result<void>();
  });
  ASSERT_TRUE(reader.read_on());
  EXPECT_EQ(read, line);
}

TEST_F(LogFileTest, AReaderFollowsThroughRotations) {
  LogFile file = open({1, 5});
  std::string read;
  LogReader reader({LogDriver::Kind::K8sFile, path_}, [&](const LogRecord& record) {
    read += record.text;
    return Result<void>();
  });
  for (int i = 0; i < 5; ++i) {
    append(file, "t stdout F " + std::to_string(i) + "\n");
    ASSERT_TRUE(file.flush());
    if (i % 2 == 0) {
      ASSERT_TRUE(reader.read_on());
    }
    ASSERT_TRUE(file.rotate());
  }
  append(file, "t stdout F end\n");
  ASSERT_TRUE(file.flush());
  ASSERT_TRUE(reader.read_on());
  EXPECT_EQ(read, "0\n1\n2\n3\n4\nend\n");
}

}  // namespace
