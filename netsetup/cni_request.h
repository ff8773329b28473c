// SPDX-License-Identifier: Apache-2.0
// cni_request.h - what a container engine asks of a CNI plugin: environment and
// standard input, checked in the order and with the codes of the specification.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/json.h"

#include "attachment.h"

// The code numbers of the specification.
enum class CniCode : int {
  IncompatibleVersion = 1,
  UnknownContainer = 3,
  InvalidEnvironment = 4,
  Io = 5,
  Decoding = 6,
  InvalidConfig = 7,
  InvalidNetns = 8,
  TryAgain = 11,
  Unavailable = 50,
  Internal = 999,
};

struct CniError {
  CniCode code = CniCode::Internal;
  std::string message;
  std::string details = {};
};

struct CniEnvironment {
  std::string command;
  std::string container_id;
  std::string netns;
  std::string interface;
  std::string arguments;  // CNI_ARGS
};
CniEnvironment read_cni_environment();

inline constexpr auto kCniVersions = std::to_array<std::string_view>(
    {"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"});

struct CniRequest {
  Network network;
  AttachRequest attach;
};

// The error, or nothing when the environment has all that the command needs.
std::optional<CniError> check_cni_environment(const CniEnvironment& environment);
std::string cni_version_of(std::string_view input);  // even of a configuration that is wrong
Result<CniRequest> read_cni_request(const CniEnvironment& environment, const JsonView& root);
// What the engine asks for this container, the strongest last.
Result<void> read_wishes(const JsonView& root, const std::string& arguments, AttachRequest& out);
Result<std::vector<PublishedPort>> read_port_mappings(const JsonView& root);
// Of GC: "ID/INTERFACE" each.
Result<std::set<std::string>> valid_attachments(const JsonView& root);

// A value of CNI_ARGS ("K=V;K=V"), or empty.
std::string cni_argument(std::string_view arguments, std::string_view key);
