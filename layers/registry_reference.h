// SPDX-License-Identifier: Apache-2.0
// registry_reference.h - what a user writes for an image of a registry:
//
//   [docker://]HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]
//
// Every part is checked here, so it may stand in a URL as it is: no "..", no "%",
// no "?", no blank.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

#include "digest.h"

struct RegistryReference {
  std::string host;        // "docker.io" where the user named none
  std::string repository;  // "library/busybox"
  std::string tag = {};    // "latest" unless a tag or a digest was given
  std::optional<Digest> digest = {};

  std::string endpoint() const;  // where the registry answers: host and port
  std::string name() const;      // "localhost:5000/web:2"; what a store calls it
  std::string version() const;   // what follows "/manifests/": the digest, else the tag
};

Result<RegistryReference> parse_registry_reference(std::string_view text);

// HOST[:PORT][/REPOSITORY], for login, search and mirrors: the repository may be missing.
Result<RegistryReference> parse_registry_host(std::string_view text);

// Whether the text begins with "docker://".
bool names_registry(std::string_view text);

// localhost, 127.0.0.0/8 and [::1], with or without a port.
bool is_loopback(std::string_view host);
