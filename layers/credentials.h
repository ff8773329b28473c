// SPDX-License-Identifier: Apache-2.0
// credentials.h - who we are to a registry: the files of docker and of
// containers-auth.json(5), and the credential helpers that they name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"

#include "registry_reference.h"

struct Credentials {
  std::string username = {};
  std::string password = {};
  std::string identity_token = {};  // exchanged for tokens instead of a password
  std::string registry_token = {};  // used as it is
};

// From --authfile FILE or $REGISTRY_AUTH_FILE when one is given, else the first of
// $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json and
// docker's config.json that knows the registry. The most specific entry wins:
// HOST/NAMESPACE/REPOSITORY before HOST/NAMESPACE before HOST.
Result<std::optional<Credentials>> find_credentials(const RegistryReference& reference,
                                                    const std::optional<std::string>& file);

// Where login writes: the given file, $REGISTRY_AUTH_FILE, or containers' own.
std::string login_file(const std::optional<std::string>& file);

// Adds or replaces the entry of `key` (HOST or HOST/NAMESPACE); what else the
// file says stays as it is. With a credential helper for it, the helper keeps the secret.
Result<void> save_credentials(const std::string& file, const std::string& key,
                              const Credentials& credentials);
// The entry's file and whether there was one. Without a file: from wherever
// find_credentials would take it.
Result<bool> remove_credentials(const std::string& file, const std::string& key);
// Every registry that the file has an entry for.
Result<std::vector<std::string>> saved_registries(const std::string& file);

std::vector<std::string> authentication_files(const std::optional<std::string>& file);

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
