// SPDX-License-Identifier: Apache-2.0
// registry_commands.h - the verbs that move images in and out, and their options.
#pragma once

#include <array>

#include "commands.h"

Result<int> cmd_pull(const Arguments& arguments);
Result<int> cmd_push(const Arguments& arguments);
Result<int> cmd_copy(const Arguments& arguments);
Result<int> cmd_save(const Arguments& arguments);
Result<int> cmd_login(const Arguments& arguments);
Result<int> cmd_logout(const Arguments& arguments);
Result<int> cmd_tags(const Arguments& arguments);
Result<int> cmd_search(const Arguments& arguments);

inline constexpr Option kTlsVerifyOption{
    .name = "tls-verify", .help = "=false: no certificate is checked, plain http is accepted"};
inline constexpr Option kPlainHttpOption{.name = "plain-http",
                                         .help = "the registry speaks http without TLS"};
inline constexpr Option kAuthFileOption{.name = "authfile",
                                        .kind = Option::Kind::Value,
                                        .argument = "FILE",
                                        .help = "where credentials are kept"};
inline constexpr Option kCredsOption{.name = "creds",
                                     .kind = Option::Kind::Value,
                                     .argument = "USER:PASSWORD",
                                     .help = "instead of those of a file"};
inline constexpr Option kCertDirOption{.name = "cert-dir",
                                       .kind = Option::Kind::Value,
                                       .argument = "DIR",
                                       .help = "with *.crt to trust, and *.cert and *.key of ours"};
inline constexpr Option kRetryOption{
    .name = "retry",
    .kind = Option::Kind::Value,
    .argument = "N",
    .help = "attempts after one that failed in passing (default 5)"};
inline constexpr Option kJobsOption{.name = "jobs",
                                    .letter = 'j',
                                    .kind = Option::Kind::Value,
                                    .argument = "N",
                                    .help = "blobs at a time (default 4)"};
inline constexpr Option kAllOption{
    .name = "all", .letter = 'a', .help = "the images of all platforms, and their index"};
inline constexpr Option kMirrorOption{.name = "mirror",
                                      .kind = Option::Kind::List,
                                      .argument = "HOST[:PORT][/PATH]",
                                      .help = "ask this registry first"};
inline constexpr Option kChunkSizeOption{.name = "chunk-size",
                                         .kind = Option::Kind::Value,
                                         .argument = "BYTES",
                                         .help = "send blobs in pieces of this size"};
inline constexpr Option kQuietOption{
    .name = "quiet", .letter = 'q', .help = "nothing on standard error but errors"};
inline constexpr Option kJsonOption{.name = "json", .help = "print JSON"};

inline constexpr auto kPullOptions =
    std::to_array<Option>({kPlatformOption, kAllOption, kJobsOption, kMirrorOption, kQuietOption,
                           kJsonOption, kTlsVerifyOption, kPlainHttpOption, kAuthFileOption,
                           kCredsOption, kCertDirOption, kRetryOption});
inline constexpr auto kPushOptions =
    std::to_array<Option>({kPlatformOption, kAllOption, kJobsOption, kChunkSizeOption, kQuietOption,
                           kJsonOption, kTlsVerifyOption, kPlainHttpOption, kAuthFileOption,
                           kCredsOption, kCertDirOption, kRetryOption});
inline constexpr auto kCopyOptions = std::to_array<Option>(
    {kPlatformOption, kAllOption, kJobsOption, kMaxSizeOption, kMirrorOption, kChunkSizeOption,
     kQuietOption, kJsonOption, kTlsVerifyOption, kPlainHttpOption, kAuthFileOption, kCredsOption,
     kCertDirOption, kRetryOption});
inline constexpr auto kSaveOptions =
    std::to_array<Option>({kPlatformOption, kAllOption, kQuietOption, kJsonOption});
inline constexpr auto kLoginOptions = std::to_array<Option>(
    {{.name = "username",
      .letter = 'u',
      .kind = Option::Kind::Value,
      .argument = "USER",
      .help = "default: asked for on the terminal"},
     {.name = "password-stdin", .help = "read the password from standard input"},
     kTlsVerifyOption,
     kPlainHttpOption,
     kAuthFileOption,
     kCertDirOption});
inline constexpr auto kLogoutOptions = std::to_array<Option>(
    {{.name = "all", .letter = 'a', .help = "of every registry"}, kAuthFileOption});
inline constexpr auto kListOptions =
    std::to_array<Option>({kJsonOption, kTlsVerifyOption, kPlainHttpOption, kAuthFileOption,
                           kCredsOption, kCertDirOption, kRetryOption});
