// SPDX-License-Identifier: Apache-2.0
// cni_result.h - what a plugin answers to ADD, in the form of each CNI version. Pure.
#pragma once

#include <string>
#include <vector>

#include "attachment.h"

struct CniDns {
  std::vector<std::string> servers = {};
  std::string domain = {};
  std::vector<std::string> search = {};
  std::vector<std::string> options = {};
};

std::string cni_result(const std::string& version, const Attached& attached, const CniDns& dns);
