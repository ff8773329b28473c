// SPDX-License-Identifier: Apache-2.0
// features: what this build understands, for engines; from the tables that the
// readers of config.json use.
#include <cstdio>

#include "common/json.h"

#include "capability.h"
#include "seccomp.h"
#include "table_mount_options.h"
#include "table_names.h"
#include "verbs.h"

namespace {

void write_cgroup(JsonWriter& json) {
  json.key("cgroup").begin_object();
  json.member("v1", true).member("v2", true).member("systemd", true).member("systemdUser", true);
  json.member("rdma", true).end_object();
}

void write_seccomp(JsonWriter& json) {
  json.key("seccomp").begin_object().member("enabled", true);
  json.member("actions", seccomp_action_names());
  json.member("operators", seccomp_operator_names());
  json.member("archs", seccomp_architecture_names());
  json.member("knownFlags", seccomp_flag_names());
  json.member("supportedFlags", seccomp_flag_names());
  json.end_object();
}

void write_linux(JsonWriter& json) {
  json.key("linux").begin_object();
  json.key("namespaces").begin_array();
  for (const NamespaceName& row : kNamespaces) json.value(row.name);
  json.end_array().key("capabilities").begin_array();
  for (const std::string& name : capability_names(kEveryCapability)) json.value(name);
  json.end_array();
  write_cgroup(json);
  write_seccomp(json);
  json.key("apparmor").begin_object().member("enabled", true).end_object();
  json.key("selinux").begin_object().member("enabled", true).end_object();
  json.key("intelRdt").begin_object().member("enabled", false).end_object();
  json.key("mountExtensions").begin_object().key("idmap").begin_object();
  json.member("enabled", true).end_object().end_object();
  json.key("netDevices").begin_object().member("enabled", true).end_object();
  json.end_object();
}

}  // namespace

Result<int> cmd_features(const Arguments&) {
  JsonWriter json(JsonWriter::Style::FourSpaces);
  json.begin_object();
  json.member("ociVersionMin", "1.0.0").member("ociVersionMax", "1.3.0");
  const std::vector<std::string> hooks = {"prestart",       "createRuntime", "createContainer",
                                          "startContainer", "poststart",     "poststop"};
  json.member("hooks", hooks);
  json.key("mountOptions").begin_array();
  for (const MountOption& row : kMountOptions) json.value(row.name);
  json.end_array();
  write_linux(json);
  json.key("annotations").begin_object();
  json.member("org.opencontainers.runc.checkpoint.enabled", "false").end_object();
  json.key("potentiallyUnsafeConfigAnnotations").begin_array();
  json.value("org.systemd.property.").end_array();
  json.end_object();
  std::puts(json.take().c_str());
  return 0;
}
