// SPDX-License-Identifier: Apache-2.0
#include "capability.h"

#include <gtest/gtest.h>

namespace {

TEST(Capability, IsKnownWithAndWithoutPrefix) {
  EXPECT_EQ(capability_number("CAP_CHOWN"), 0U);
  EXPECT_EQ(capability_number("net_admin"), 12U);
  for (const char* bad : {"", "CAP_", "CAP_NONE", "12", "CAP_12"})
    EXPECT_FALSE(capability_number(bad)) << bad;
}

TEST(Capability, SetsAreNamedFromTheLowestBit) {
  const std::vector<std::string> expected = {"CAP_CHOWN", "CAP_KILL"};
  EXPECT_EQ(capability_names(1U << 5U | 1U), expected);
  EXPECT_EQ(capability_names(kEveryCapability).back(), "CAP_CHECKPOINT_RESTORE");
}

TEST(Capability, ANameThatIsNearlyRightGetsAHint) {
  EXPECT_EQ(nearest_capability("CAP_CHOWM"), "; did you mean 'CAP_CHOWN'?");
  EXPECT_EQ(nearest_capability("CAP_NOTHING_LIKE_IT"), "");
}

}  // namespace
