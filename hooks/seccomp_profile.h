// SPDX-License-Identifier: Apache-2.0
// seccomp_profile.h - what was learnt of a program's system calls, and profiles as
// config.json and docker spell them. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

using CallArguments = std::array<std::uint64_t, 6>;

// An argument worth keeping: it selects what the call does, and a program uses few
// values of it.
struct KeptArgument {
  std::string_view call;
  unsigned index;
  std::uint64_t mask;  // the bits that the kernel looks at, or that matter
};
std::optional<KeptArgument> kept_argument(std::string_view call);

struct LearntCall {
  std::set<std::uint64_t> values = {};  // of the argument that is kept, masked
  bool any_value = false;               // none is kept, or there were too many
};

struct Learnt {
  std::set<std::string> architectures = {};
  std::map<std::string, LearntCall> calls = {};

  // True when it is news.
  bool add(const std::string& architecture, const std::string& call,
           const CallArguments& arguments);
  bool merge(const Learnt& other);
};

// What every program does in the end, and what cannot be asked about: write(2), by
// which a listener is told.
void add_unlearnable(Learnt& learnt);

enum class ProfileForm { Oci, Docker };
std::string profile_json(const Learnt& learnt, ProfileForm form);
// The way back, of a profile that we wrote.
Result<Learnt> parse_learnt(const std::string& name, std::string_view text);

// Any profile, to ask it what it would do.
struct ProfileRule {
  struct Condition {
    unsigned index = 0;
    std::string op;
    std::uint64_t value = 0, value_two = 0;
    bool holds(const CallArguments& arguments) const;
  };
  std::string action;
  std::vector<Condition> conditions = {};
};
class Profile {
 public:
  // docker's rules for capabilities count when the container has `capabilities`.
  static Result<Profile> parse(const std::string& name, std::string_view text,
                               const std::vector<std::string>& capabilities);
  bool allows(const std::string& call, const CallArguments& arguments) const;
  std::size_t names() const { return rules_.size(); }

 private:
  std::string default_action_;
  std::map<std::string, std::vector<ProfileRule>, std::less<>> rules_ = {};
};

// The learnt calls that the profile would have denied.
std::vector<std::string> denied_by(const Profile& profile, const Learnt& learnt);
