// SPDX-License-Identifier: Apache-2.0
// metrics_text.h - samples as OpenMetrics 1.0, or as the older text format of
// Prometheus, which differs in how counters are declared and in the last line. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cgroup_sample.h"

enum class MetricsFormat { OpenMetrics, Prometheus };
std::string_view content_type(MetricsFormat format);

class MetricsText {
 public:
  void add(std::string_view id, std::string_view runtime, const Sample& sample);
  // `dropped`: events that hook-events could not deliver; `seconds`: what sampling took.
  std::string finish(MetricsFormat format, std::size_t dropped, double seconds);

  static constexpr std::size_t kFamilies = 29;

 private:
  void count(std::size_t family, const Count& value);
  void nanoseconds(std::size_t family, const Count& value);
  void labelled(std::size_t family, std::string_view label, std::string_view name,
                std::uint64_t value);
  std::array<std::string, kFamilies> lines_ = {};  // of each family, which stay together
  std::string labels_;                             // of the container being added
  std::size_t containers_ = 0;
};
