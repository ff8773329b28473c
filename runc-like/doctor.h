// SPDX-License-Identifier: Apache-2.0
// doctor.h - what this host and this user can do: each check with what breaks
// without it and how to get it. Looks only; changes nothing.
#pragma once

#include <string>
#include <vector>

struct Check {
  enum class Answer { Yes, Partly, No };
  std::string area;  // kernel, cgroups, security, rootless, programs
  std::string what;
  Answer answer = Answer::Yes;
  bool required = false;    // without it no container starts
  std::string found = {};   // the detail: a version, a list
  std::string breaks = {};  // what will not work
  std::string fix = {};
};

void check_kernel(std::vector<Check>& checks);
void check_cgroups(std::vector<Check>& checks);
void check_security(std::vector<Check>& checks);
void check_rootless(std::vector<Check>& checks);
void check_programs(std::vector<Check>& checks);
