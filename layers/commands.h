// SPDX-License-Identifier: Apache-2.0
// commands.h - the verbs of layers, one file cmd_*.cc each, and their options.
#pragma once

#include <array>
#include <string>

#include "common/cli.h"

Result<int> cmd_import(const Arguments& arguments);
Result<int> cmd_images(const Arguments& arguments);
Result<int> cmd_unpack(const Arguments& arguments);
Result<int> cmd_bundle(const Arguments& arguments);
Result<int> cmd_inspect(const Arguments& arguments);
Result<int> cmd_history(const Arguments& arguments);
Result<int> cmd_tag(const Arguments& arguments);
Result<int> cmd_untag(const Arguments& arguments);
Result<int> cmd_rm(const Arguments& arguments);
Result<int> cmd_df(const Arguments& arguments);
Result<int> cmd_gc(const Arguments& arguments);
Result<int> cmd_verify(const Arguments& arguments);

inline constexpr Option kPlatformOption{
    .name = "platform",
    .kind = Option::Kind::Value,
    .argument = "OS/ARCH[/VARIANT]",
    .help = "of an image for several platforms (default: this machine's)"};
inline constexpr Option kMaxSizeOption{
    .name = "max-size",
    .kind = Option::Kind::Value,
    .argument = "BYTES",
    .help = "most that one layer may decompress to (default 1T)"};
inline constexpr Option kMaxEntriesOption{
    .name = "max-entries",
    .kind = Option::Kind::Value,
    .argument = "N",
    .help = "most files that one layer may have (default 4194304)"};

inline constexpr auto kImportOptions = std::to_array<Option>({kPlatformOption, kMaxSizeOption});
inline constexpr auto kImagesOptions = std::to_array<Option>({
    {.name = "json", .help = "print a JSON array"},
    {.name = "quiet", .letter = 'q', .help = "print names only"},
    {.name = "tree", .help = "show which layers the images share"},
});
inline constexpr auto kDfOptions =
    std::to_array<Option>({{.name = "json", .help = "print a JSON object"}});
inline constexpr auto kUnpackOptions =
    std::to_array<Option>({kPlatformOption, kMaxSizeOption, kMaxEntriesOption});
inline constexpr auto kBundleOptions = std::to_array<Option>({
    {.name = "remove", .help = "unmount and remove the bundle DIR"},
    {.name = "name",
     .kind = Option::Kind::Value,
     .argument = "NAME",
     .help = "of the container, for its network and host name (default: the directory's)"},
    {.name = "hostname",
     .kind = Option::Kind::Value,
     .argument = "NAME",
     .help = "host name (default: the name)"},
    {.name = "network",
     .kind = Option::Kind::Value,
     .argument = "NET",
     .help = "none (default), host, or a network that netsetup connects it to"},
    {.name = "publish",
     .letter = 'p',
     .kind = Option::Kind::List,
     .argument = "[HOSTIP:]HOST:CTR[/PROTO]",
     .help = "make a port reachable from the host"},
    {.name = "env",
     .letter = 'e',
     .kind = Option::Kind::List,
     .argument = "K[=V]",
     .help = "set a variable, or pass the caller's on"},
    {.name = "user",
     .letter = 'u',
     .kind = Option::Kind::Value,
     .argument = "USER[:GROUP]",
     .help = "instead of the image's user"},
    {.name = "workdir",
     .letter = 'w',
     .kind = Option::Kind::Value,
     .argument = "DIR",
     .help = "instead of the image's working directory"},
    {.name = "entrypoint",
     .kind = Option::Kind::Value,
     .argument = "PROGRAM",
     .help = "instead of the image's entrypoint"},
    {.name = "read-only", .help = "the root cannot be written"},
    {.name = "volume",
     .letter = 'v',
     .kind = Option::Kind::List,
     .argument = "SRC:DST[:ro]",
     .help = "a directory or file of the host in the container"},
    {.name = "tty", .letter = 't', .help = "the process gets a terminal"},
    {.name = "memory",
     .letter = 'm',
     .kind = Option::Kind::Value,
     .argument = "BYTES",
     .help = "memory limit (suffixes k, m, g)"},
    {.name = "cpus",
     .kind = Option::Kind::Value,
     .argument = "N",
     .help = "processor time, in processors"},
    {.name = "pids-limit",
     .kind = Option::Kind::Value,
     .argument = "N",
     .help = "most processes and threads"},
    {.name = "no-new-privileges", .help = "setuid programs gain nothing"},
    {.name = "hook",
     .kind = Option::Kind::List,
     .argument = "STAGE=PATH[,ARG]...",
     .help = "one more OCI hook"},
    kPlatformOption,
    kMaxSizeOption,
    kMaxEntriesOption,
});
