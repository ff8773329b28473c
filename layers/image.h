// SPDX-License-Identifier: Apache-2.0
// image.h - the documents of an image: index, manifest, configuration.
//
// Read without trust: a document that could be taken for another type is refused
// (CVE-2021-41190), digests are parsed before they name anything, and sizes are
// never negative. What is copied is copied as bytes, never written anew.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

#include "digest.h"

struct Platform {
  std::string os = {};
  std::string architecture = {};
  std::string variant = {};
  std::string text() const;  // "linux/arm64/v8"
};

// What this machine runs.
Platform host_platform();
// "linux/arm64", "linux/arm/v7".
Result<Platform> parse_platform(std::string_view text);

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform = {};
  std::map<std::string, std::string> annotations = {};
  std::string json = {};  // as it stands

  bool is_index() const;
  bool is_manifest() const;
  std::optional<std::string> ref_name() const;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
};

struct HistoryEntry {
  std::string created;
  std::string created_by;
  std::string comment;
  bool empty_layer = false;
};

struct ImageConfig {
  Platform platform;
  std::string created = {};
  std::string author = {};
  std::vector<Digest> diff_ids = {};
  std::vector<HistoryEntry> history = {};

  std::string user = {};
  std::string working_dir = {};
  std::string stop_signal = {};
  std::vector<std::string> env = {};
  std::vector<std::string> entrypoint = {};
  std::vector<std::string> cmd = {};
  std::vector<std::string> volumes = {};
  std::vector<std::string> exposed_ports = {};
  std::map<std::string, std::string> labels = {};
};

Result<std::vector<Descriptor>> parse_index(const std::string& name, std::string_view text);
Result<Manifest> parse_manifest(const std::string& name, std::string_view text);
Result<ImageConfig> parse_image_config(const std::string& name, std::string_view text);

// The entry of an index to use: the first that fits `wanted` best. Attestations
// and the like never fit. Without platforms, an only manifest fits.
Result<Descriptor> choose_platform(const std::vector<Descriptor>& entries, const Platform& wanted,
                                   const std::string& name);

inline constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
