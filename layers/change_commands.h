// SPDX-License-Identifier: Apache-2.0
// change_commands.h - the verbs that make images of images, and their options.
#pragma once

#include <array>
#include <string>

#include "common/cli.h"

#include "commands.h"

Result<int> cmd_commit(const Arguments& arguments);
Result<int> cmd_config(const Arguments& arguments);
Result<int> cmd_diff(const Arguments& arguments);
Result<int> cmd_mount(const Arguments& arguments);
Result<int> cmd_rebase(const Arguments& arguments);
Result<int> cmd_squash(const Arguments& arguments);
Result<int> cmd_umount(const Arguments& arguments);

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

inline constexpr auto kMountOptions = std::to_array<Option>({
    {.name = "writable", .letter = 'w', .help = "what is written lies in the store until umount"},
    {.name = "upper",
     .kind = Option::Kind::Value,
     .argument = "DIR",
     .help = "what is written lies in DIR, and stays; DIR.work is needed beside it"},
    kPlatformOption,
    kMaxSizeOption,
    kMaxEntriesOption,
});
inline constexpr auto kSquashOptions = std::to_array<Option>({
    {.name = "keep",
     .kind = Option::Kind::Value,
     .argument = "N",
     .help = "leave the lowest N layers as they are"},
    {.name = "onto",
     .kind = Option::Kind::Value,
     .argument = "IMAGE",
     .help = "leave the layers of IMAGE, which lie lowest, as they are"},
    kCompressionOption,
    kAuthorOption,
    kMessageOption,
    kCreatedByOption,
    kPlatformOption,
    kMaxSizeOption,
    kMaxEntriesOption,
});
inline constexpr auto kRebaseOptions = std::to_array<Option>({
    {.name = "from",
     .kind = Option::Kind::Value,
     .argument = "IMAGE",
     .help = "what it lies on now"},
    {.name = "onto",
     .kind = Option::Kind::Value,
     .argument = "IMAGE",
     .help = "what it shall lie on"},
    kPlatformOption,
});
inline constexpr auto kConfigOptions = std::to_array<Option>({
    {.name = "user",
     .letter = 'u',
     .kind = Option::Kind::Value,
     .argument = "USER[:GROUP]",
     .help = "of the process"},
    {.name = "workdir",
     .letter = 'w',
     .kind = Option::Kind::Value,
     .argument = "DIR",
     .help = "of the process"},
    {.name = "env",
     .letter = 'e',
     .kind = Option::Kind::List,
     .argument = "K=V",
     .help = "set a variable"},
    {.name = "unset-env",
     .kind = Option::Kind::List,
     .argument = "K",
     .help = "take a variable away"},
    {.name = "entrypoint",
     .kind = Option::Kind::Value,
     .argument = "WORDS",
     .help = "JSON array, or a line for the shell"},
    {.name = "cmd",
     .kind = Option::Kind::Value,
     .argument = "WORDS",
     .help = "JSON array, or a line for the shell"},
    {.name = "shell",
     .kind = Option::Kind::Value,
     .argument = "WORDS",
     .help = "JSON array: what runs lines of a Dockerfile"},
    {.name = "label",
     .letter = 'l',
     .kind = Option::Kind::List,
     .argument = "K=V",
     .help = "set a label"},
    {.name = "unset-label",
     .kind = Option::Kind::List,
     .argument = "K",
     .help = "take a label away"},
    {.name = "expose",
     .kind = Option::Kind::List,
     .argument = "PORT[/PROTO]",
     .help = "a port on which it listens"},
    {.name = "volume",
     .letter = 'v',
     .kind = Option::Kind::List,
     .argument = "DIR",
     .help = "a directory for data"},
    {.name = "stop-signal",
     .kind = Option::Kind::Value,
     .argument = "SIGNAL",
     .help = "that asks it to end"},
    {.name = "healthcheck",
     .kind = Option::Kind::Value,
     .argument = "WORDS",
     .help = "JSON array, a line for the shell, or NONE"},
    {.name = "onbuild",
     .kind = Option::Kind::List,
     .argument = "INSTRUCTION",
     .help = "for builds from this image"},
    {.name = "annotation",
     .kind = Option::Kind::List,
     .argument = "K=V",
     .help = "of the manifest"},
    {.name = "created",
     .kind = Option::Kind::Value,
     .argument = "TIME",
     .help = "when it was made (default: now)"},
    {.name = "as-platform",
     .kind = Option::Kind::Value,
     .argument = "OS/ARCH[/VARIANT]",
     .help = "what it claims to run on"},
    {.name = "clear",
     .kind = Option::Kind::List,
     .argument = "FIELD",
     .help = "empty it first: an option's name, annotations or history"},
    {.name = "no-history", .help = "add no entry to the history"},
    kAuthorOption,
    kMessageOption,
    kCreatedByOption,
    kPlatformOption,
});
