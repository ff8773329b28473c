// SPDX-License-Identifier: Apache-2.0
// log_labels.h - what a log may say of its container beside what that wrote.
#pragma once

#include <string>
#include <vector>

struct LogLabels {
  std::string id;
  std::string name = {};
  std::string tag = {};
  std::vector<std::string> fields = {};  // KEY=VALUE
  bool partial_field = true;             // journald: CONTAINER_PARTIAL_MESSAGE
};
