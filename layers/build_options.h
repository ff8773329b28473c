// SPDX-License-Identifier: Apache-2.0
// build_options.h - what the command line says about a build.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compress.h"
#include "image.h"
#include "unpack.h"

struct BuildSecret {
  std::string file = {};
  std::string variable = {};  // of our environment, when there is no file
};

struct BuildOptions {
  std::string context;                           // directory
  std::optional<std::string> file = {};          // default: Dockerfile in the context
  std::vector<std::string> names = {};           // of the image
  std::map<std::string, std::string> args = {};  // of ARG
  std::map<std::string, std::string> labels = {};
  std::map<std::string, BuildSecret> secrets = {};
  std::map<std::string, std::string> contexts = {};  // name: directory, for --from
  std::optional<std::string> target = {};            // stage
  std::string network = "host";                      // of RUN
  Platform platform = host_platform();
  Compression compression = Compression::Gzip;
  UnpackLimits limits = {};
  // Brings an image of a registry into the store; the name that it has there.
  std::function<Result<std::string>(const std::string& reference, const Platform&)> fetch = {};
  bool fetch_again = false;  // also what the store has
  bool cache = true;
  bool quiet = false;
};
