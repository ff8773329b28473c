// SPDX-License-Identifier: Apache-2.0
#include "notify.h"

#include <gtest/gtest.h>

namespace {

TEST(Notify, PassesOnWhatConcernsTheServiceOnly) {
  EXPECT_EQ(service_lines("READY=1\nSTATUS=up"), "READY=1\nSTATUS=up\n");
  EXPECT_EQ(service_lines("MAINPID=7\nREADY=1\nFDSTORE=1\nFDNAME=x\nBARRIER=1\n"), "READY=1\n");
  EXPECT_EQ(service_lines("MAINPIDFDID=7"), "");
  EXPECT_EQ(service_lines(""), "");
}

}  // namespace
