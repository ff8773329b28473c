// SPDX-License-Identifier: Apache-2.0
// device_filter_v1.cc - device rules in the words of the cgroup v1 controller:
// one default and a list of exceptions from it, no order. Written as few lines
// as possible, since each is a system call.
#include <algorithm>
#include <utility>

#include "device_filter.h"

namespace {

bool same_devices(const DeviceRule& a, const DeviceRule& b) {
  return a.type == b.type && a.major == b.major && a.minor == b.minor;
}

bool covers(const DeviceRule& wide, const DeviceRule& narrow) {
  return wide.type == narrow.type && (!wide.major || wide.major == narrow.major) &&
         (!wide.minor || wide.minor == narrow.minor);
}

bool overlap(const DeviceRule& a, const DeviceRule& b) {
  return a.type == b.type && (!a.major || !b.major || a.major == b.major) &&
         (!a.minor || !b.minor || a.minor == b.minor);
}

// What the controller would hold after all rules.
class Exceptions {
 public:
  Result<void> apply(const DeviceRule& rule) {
    if (rule.type != 'a') return apply_to_type(rule);
    if (rule.access == DeviceRule::kAll) {
      allow_by_default_ = rule.allow;
      list_.clear();
      return {};
    }
    for (const char type : {'b', 'c'}) {
      DeviceRule one = rule;
      one.type = type;
      TRY(apply_to_type(one));
    }
    return {};
  }

  bool allow_by_default() const { return allow_by_default_; }
  const std::vector<DeviceRule>& list() const { return list_; }

 private:
  Result<void> apply_to_type(const DeviceRule& rule) {
    if (rule.allow == allow_by_default_) return withdraw(rule);
    for (DeviceRule& known : list_)
      if (same_devices(known, rule)) {
        known.access |= rule.access;
        return {};
      }
    list_.push_back(rule);
    return {};
  }

  // The rule says again what is the default: exceptions within it lose those
  // kinds of access. One that reaches beyond it cannot be split.
  Result<void> withdraw(const DeviceRule& rule) {
    for (DeviceRule& known : list_) {
      if ((known.access & rule.access) == 0 || !overlap(rule, known)) continue;
      if (!covers(rule, known)) return cannot_split(rule, known);
      known.access &= ~rule.access;
    }
    std::erase_if(list_, [](const DeviceRule& r) { return r.access == 0; });
    return {};
  }

  static Error cannot_split(const DeviceRule& rule, const DeviceRule& known) {
    Error error{(rule.field.empty() ? "device rule" : rule.field) +
                ": cgroup v1 cannot make an exception within " +
                (known.field.empty() ? "a default rule" : "the wider rule " + known.field)};
    error.hint = "put single devices instead of the wider rule, or use cgroup v2";
    error.field = rule.field;
    return error;
  }

  bool allow_by_default_ = false;
  std::vector<DeviceRule> list_;
};

std::string number_or_star(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "*";
}

std::string line_of(const DeviceRule& rule) {
  std::string text{rule.type};
  text += " " + number_or_star(rule.major) + ":" + number_or_star(rule.minor) + " ";
  if (rule.access & DeviceRule::kRead) text += 'r';
  if (rule.access & DeviceRule::kWrite) text += 'w';
  if (rule.access & DeviceRule::kMknod) text += 'm';
  return text;
}

}  // namespace

Result<std::vector<DeviceLine>> device_lines_v1(std::span<const DeviceRule> rules) {
  Exceptions exceptions;
  for (const DeviceRule& rule : rules) TRY(exceptions.apply(rule));
  std::vector<DeviceLine> lines = {{exceptions.allow_by_default(), "a", {}}};
  for (const DeviceRule& rule : exceptions.list())
    lines.push_back({rule.allow, line_of(rule), rule.field});
  return lines;
}
