// SPDX-License-Identifier: Apache-2.0
// tuning.h - sysctls and link settings of a container's interface, changed and put back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "link.h"

struct Tuning {
  std::vector<std::pair<std::string, std::string>> sysctls = {};  // below /proc/sys/net, value
  std::optional<MacAddress> mac = {};
  std::optional<bool> promiscuous = {};
  std::optional<bool> all_multicast = {};
  std::optional<std::uint32_t> mtu = {};
  std::optional<std::uint32_t> queue_length = {};
};

// Everything that it changed is as it was again on destruction, unless kept.
class Tuner {
 public:
  Tuner(FdRef netns, const NetlinkSocket& inside) : netns_(netns), inside_(inside) {}
  Tuner(const Tuner&) = delete;
  Tuner& operator=(const Tuner&) = delete;
  ~Tuner();
  Result<void> apply(const Tuning& tuning, const Link& link);
  void keep() { undo_.clear(); }

 private:
  Result<void> set(const std::string& name, const std::string& value);
  Result<void> change(const Link& link, const LinkChange& wish);
  FdRef netns_;
  const NetlinkSocket& inside_;
  std::vector<std::function<void()>> undo_ = {};
};

// In words; empty when the interface is as it was wished for.
Result<std::string> first_difference(const Tuning& tuning, const Link& link, FdRef netns);
