// SPDX-License-Identifier: Apache-2.0
#include "relay.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "common/temp_dir.h"

#include "attach_server.h"

namespace {

// Takes everything, or, while `full`, nothing.
class FakeSink final : public LogSink {
 public:
  explicit FakeSink(std::string& into, const bool& full) : into_(into), full_(full) {}
  void offer(const Chunk& chunk) override { rest_ = chunk.bytes; }
  Progress pump() override {
    if (full_) return Progress::Retry;
    into_ += rest_;
    if (!rest_.empty()) into_ += "|";
    rest_ = {};
    return Progress::Done;
  }
  int last_errno() const override { return full_ ? ENOSPC : 0; }
  std::size_t unwritten() const override { return rest_.size(); }
  std::string_view name() const override { return "fake"; }

 private:
  std::string& into_;
  const bool& full_;
  std::string_view rest_;
};

class RelayTest : public ::testing::Test {
 protected:
  RelayTest() : loop_(*Loop::create()), relay_(*Relay::create(loop_, notices_)) {
    notices_.be_quiet();
    relay_->add_sink(std::make_unique<FakeSink>(log_, full_));
    std::array<int, 2> fds = {};
    EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
    write_.reset(fds[1]);
    EXPECT_TRUE(relay_->add_source(Stream::Out, UniqueFd(fds[0])));
  }
  void say(std::string_view text) { ASSERT_TRUE(write_all(write_, text, "pipe")); }
  void turn_until(const std::function<bool()>& done) {
    while (!done()) ASSERT_TRUE(loop_.turn());
  }

  Notices notices_;
  Loop loop_;
  std::unique_ptr<Relay> relay_;
  UniqueFd write_;
  std::string log_;
  bool full_ = false;
};

TEST_F(RelayTest, HandsOverWholeLines) {
  say("one\ntwo\nthr");
  ASSERT_TRUE(loop_.turn());
  EXPECT_EQ(log_, "one\ntwo\n|");
  say("ee\n");
  turn_until([&] { return log_.size() > 9; });
  EXPECT_EQ(log_, "one\ntwo\n|three\n|");
}

TEST_F(RelayTest, APromptIsLoggedAfterAMoment) {
  say("login: ");
  turn_until([&] { return !log_.empty(); });
  EXPECT_EQ(log_, "login: |");
}

TEST_F(RelayTest, TheEndFlushesAnUnfinishedLine) {
  say("last");
  write_.reset();
  relay_->drain();
  EXPECT_EQ(log_, "last|");
  EXPECT_TRUE(relay_->drained());
}

TEST_F(RelayTest, DrainDoesNotWaitForAWriterThatLivesOn) {
  say("text\n");
  relay_->drain();
  EXPECT_EQ(log_, "text\n|");
  EXPECT_TRUE(relay_->drained());
}

TEST_F(RelayTest, ABlockedLogLosesNothingAndGoesOn) {
  full_ = true;
  say("one\n");
  ASSERT_TRUE(loop_.turn());
  say("two\n");
  EXPECT_EQ(log_, "");
  full_ = false;
  turn_until([&] { return log_.size() >= 10; });
  EXPECT_EQ(log_, "one\n|two\n|");
}

TEST_F(RelayTest, WhatIsGivenUpIsCounted) {
  full_ = true;
  say("one\n");
  ASSERT_TRUE(loop_.turn());
  say("two\n");
  relay_->drain();
  EXPECT_FALSE(relay_->drained());
  EXPECT_EQ(relay_->abandon(), 8U);
  EXPECT_TRUE(relay_->drained());
}

class AttachTest : public RelayTest {
 protected:
  AttachTest() : dir_(*TempDir::create("/tmp", "attach-test-")), input_(Input::none(loop_)) {
    server_ = *AttachServer::create(loop_, dir_.fd(), "attach", notices_);
    server_->feed(*input_, false);
    relay_->on_output([this](Stream s, std::string_view b) { server_->send(s, b); });
  }
  UniqueFd join() {
    UniqueFd client = *connect_in(dir_.fd(), "attach", SOCK_SEQPACKET);
    EXPECT_TRUE(loop_.turn());
    return client;
  }
  static std::string receive(const UniqueFd& client) {
    std::array<char, 20000> packet = {};
    const ssize_t n = ::recv(client.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    return n < 0 ? "nothing" : std::string(packet.data(), static_cast<std::size_t>(n));
  }
  TempDir dir_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<AttachServer> server_;
};

TEST_F(AttachTest, PacketsNameTheStreamAndAreNeverLargerThanClientsRead) {
  const UniqueFd client = join();
  server_->send(Stream::Err, std::string(10000, 'x'));
  EXPECT_EQ(receive(client), "\3" + std::string(8192, 'x'));
  EXPECT_EQ(receive(client), "\3" + std::string(1808, 'x'));
  server_->send(Stream::Out, "y");
  EXPECT_EQ(receive(client), "\2y");
  server_->close();
  EXPECT_EQ(receive(client), "");
}

TEST_F(AttachTest, AClientThatDoesNotReadIsDroppedAndTheOthersStay) {
  const UniqueFd slow = join();
  const UniqueFd good = join();
  const std::string piece(8192, 'x');
  for (int i = 0; i < 200; ++i) {
    server_->send(Stream::Out, piece);
    ASSERT_EQ(receive(good).size(), 8193U);
  }
  std::string last;
  for (std::string got; !(got = receive(slow)).empty() && got != "nothing";) last = got;
  EXPECT_EQ(receive(slow), "");  // the end of the connection, not just silence
  EXPECT_EQ(last.size(), 8193U);
}

TEST_F(AttachTest, AClientSeesWhatIsLogged) {
  const UniqueFd client = join();
  say("hello");
  turn_until([&] { return !log_.empty(); });
  EXPECT_EQ(receive(client), "\2hello");
  EXPECT_EQ(log_, "hello|");
}

}  // namespace
