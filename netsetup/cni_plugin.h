// SPDX-License-Identifier: Apache-2.0
// cni_plugin.h - the types of CNI plugin that this program is, each a row of functions.
//
// `netsetup` and `bridge` connect a container; the others change what an earlier
// plugin of the list made, found by its record, and hand its result on. An error
// that names a field is the configuration's fault (code 7).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cni_request.h"
#include "store.h"

// One call of an engine, as far as it is the same for all types.
struct CniCall {
  const CniEnvironment& environment;
  std::string version;  // of the configuration
  std::string type;
  JsonView root;
  std::string network;
  std::string state_directory;
};
Result<CniCall> read_cni_call(const CniEnvironment& environment, const std::string& type,
                              const JsonView& root);

struct CniPlugin {
  std::string_view type;
  Result<std::string> (*add)(const CniCall&);  // the result, as text
  Result<void> (*remove)(const CniCall&);
  Result<void> (*check)(const CniCall&);
  Result<void> (*status)(const CniCall&);
  Result<void> (*collect)(const CniCall&);
};

extern const CniPlugin kNetsetupPlugin;  // cni_bridge.cc
extern const CniPlugin kBridgePlugin;
extern const CniPlugin kPortmapPlugin;  // cni_ports.cc
extern const CniPlugin kFirewallPlugin;
extern const CniPlugin kTuningPlugin;     // cni_tuning.cc
extern const CniPlugin kLoopbackPlugin;   // cni_loopback.cc
extern const CniPlugin kHostLocalPlugin;  // cni_host_local.cc

// For the verbs that a type has nothing to do for.
Result<void> nothing_to_do(const CniCall& call);

// The result of the plugins before, in the version of the configuration.
Result<JsonView> previous_result(const CniCall& call);
std::string passed_on(const CniCall& call, const JsonView& previous);

// The record of the container's interface; the error says what the list lacks.
Result<Member> member_of(const Store& store, const CniCall& call);

// Fields that exist elsewhere and that we do not carry out: an error names the
// field, unless its value asks for nothing (false, 0, "", [] or {}).
struct RefusedField {
  std::string_view type;
  std::string_view field;
  std::string_view why;
};
extern const std::span<const RefusedField> kRefusedFields;
Result<void> refuse_fields(const JsonView& object, std::string_view type);
