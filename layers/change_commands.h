// SPDX-License-Identifier: Apache-2.0
// change_commands.h - the verbs that make images of images, and their options.
#pragma once

#include <array>
#include <string>

#include "common/cli.h"

#include "commands.h"

Result<int> cmd_commit(const Arguments& arguments);
Result<int> cmd_diff(const Arguments& arguments);

inline constexpr Option kCompressionOption{.name = "compression",
                                           .kind = Option::Kind::Value,
                                           .argument = "KIND",
                                           .help = "of the new layer: gzip (default), zstd, none"};
inline constexpr Option kBaseOption{.name = "base",
                                    .kind = Option::Kind::Value,
                                    .argument = "IMAGE",
                                    .help = "what lies below an upper directory, or scratch"};
inline constexpr Option kVolumesOption{.name = "include-volumes",
                                       .help = "also what lies in the image's volumes"};
inline constexpr Option kAuthorOption{.name = "author",
                                      .letter = 'a',
                                      .kind = Option::Kind::Value,
                                      .argument = "TEXT",
                                      .help = "who made the image"};
inline constexpr Option kMessageOption{.name = "message",
                                       .letter = 'm',
                                       .kind = Option::Kind::Value,
                                       .argument = "TEXT",
                                       .help = "comment of the history entry"};
inline constexpr Option kCreatedByOption{.name = "created-by",
                                         .kind = Option::Kind::Value,
                                         .argument = "TEXT",
                                         .help = "what the history entry says was done"};

inline constexpr auto kDiffOptions = std::to_array<Option>({
    kBaseOption,
    kVolumesOption,
    kCompressionOption,
    {.name = "output",
     .letter = 'o',
     .kind = Option::Kind::Value,
     .argument = "FILE",
     .help = "write the layer there (default: standard output)"},
    {.name = "list", .letter = 'l', .help = "print the changes instead: A, C or D and the path"},
    {.name = "json", .help = "print the changes instead, as a JSON array"},
    kPlatformOption,
    kMaxSizeOption,
    kMaxEntriesOption,
});
inline constexpr auto kCommitOptions = std::to_array<Option>({
    kBaseOption,
    kVolumesOption,
    kCompressionOption,
    kAuthorOption,
    kMessageOption,
    kCreatedByOption,
    kPlatformOption,
    kMaxSizeOption,
    kMaxEntriesOption,
});
