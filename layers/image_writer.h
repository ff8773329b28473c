// SPDX-License-Identifier: Apache-2.0
// image_writer.h - the documents of a new image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image.h"

// "application/vnd.oci.image.layer.v1.tar+gzip" and the like; empty when a
// layer may not be stored so.
std::string layer_media_type(std::string_view compression);

std::string write_manifest(const Descriptor& config, const std::vector<Descriptor>& layers);

// A configuration of one layer with nothing to say about the process to run.
std::string write_plain_config(const Platform& platform, const Digest& diff_id,
                               std::string_view created_by);

// Now, or $SOURCE_DATE_EPOCH where builds must be reproducible.
std::string creation_time();
