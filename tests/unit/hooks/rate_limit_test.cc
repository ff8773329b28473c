// SPDX-License-Identifier: Apache-2.0
#include "rate_limit.h"

#include <gtest/gtest.h>

namespace {

TEST(Rate, NumberAndSeconds) {
  EXPECT_EQ(parse_rate("10/60")->most, 10U);
  EXPECT_EQ(parse_rate("10/60")->seconds, 60);
  for (const char* text : {"10", "0/60", "10/0", "x/60", "10/60s", ""})
    EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(Admit, CountsWhatItHoldsBack) {
  RateHistory history;
  const Rate rate = {2, 10};
  EXPECT_EQ(admit(history, rate, 100), 0U);
  EXPECT_EQ(admit(history, rate, 101), 0U);
  EXPECT_FALSE(admit(history, rate, 102));
  EXPECT_FALSE(admit(history, rate, 109));
  EXPECT_EQ(admit(history, rate, 110), 2U);
  EXPECT_EQ(admit(history, rate, 111), 0U);
  EXPECT_FALSE(admit(history, rate, 111));
}

TEST(Admit, AClockThatBeganAgainHoldsNothingBack) {
  RateHistory history = {{1000, 1001}, 0};
  EXPECT_EQ(admit(history, {2, 10}, 5), 0U);
}

TEST(RateHistory, SurvivesAsText) {
  const RateHistory again = parse_history(to_text({{1, 2}, 3}));
  EXPECT_EQ(again.passed, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(again.suppressed, 3U);
  EXPECT_TRUE(parse_history("rubbish\n").passed.empty());
}

}  // namespace
