// SPDX-License-Identifier: Apache-2.0
// engine_files.h - how a container ended and what its engine calls it: no part of the
// state that a hook is given, but written down by whoever supervises it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "common/oci_state.h"

// From the shim's state, or a file named after the container in a directory of exit
// files, as conmon and the shim leave them for podman and CRI-O.
std::optional<int> known_exit_status(const OciState& state,
                                     std::span<const std::string> directories);

// The labels as a JSON object, or empty: of CRI-O's annotation, else of docker's
// file below `docker_root`.
std::string known_labels(const OciState& state, const std::string& docker_root);
