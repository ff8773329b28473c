// SPDX-License-Identifier: Apache-2.0
// registry.h - one repository of a registry, by the OCI distribution specification.
//
// Nothing a registry says is believed: documents are bounded and compared with
// their digest, blobs end where their descriptor says, and what is wrong is never
// given out. What may pass (a broken connection, 429, 5xx) is tried again with
// growing pauses, a blob from where it broke off.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

#include "credentials.h"
#include "http.h"
#include "image.h"
#include "progress.h"
#include "registry_auth.h"
#include "registry_reference.h"

struct RegistryOptions {
  bool verify_tls = true;
  bool plain_http = false;
  std::optional<std::string> auth_file = {};
  std::optional<Credentials> credentials = {};  // instead of those of any file
  std::string cert_dir = {};                    // default: certs.d/HOST of containers and docker
  int retries = 5;
  std::uint64_t chunk_size = 0;  // of uploads; 0: in one piece
};

struct ImageDocument {
  Descriptor descriptor;
  std::string bytes;
};

class Registry {
 public:
  // Asks the registry whether it is one, and how: https, else on the local host
  // (or where nobody insists on TLS) http.
  static Result<std::unique_ptr<Registry>> connect(RegistryReference reference,
                                                   const RegistryOptions& options);
  const RegistryReference& reference() const { return reference_; }

  // Whether the credentials are accepted, for login.
  Result<void> check_login();

  // A manifest or index by tag or digest.
  Result<ImageDocument> manifest(const std::string& version);
  // Appends to what `file` holds of the blob already, until it is whole and verified.
  Result<void> fetch_blob(const Descriptor& blob, FdRef file, Progress& progress);

  Result<bool> has_blob(const Descriptor& blob);
  // True when the registry takes it from its repository `from`: no byte is sent.
  Result<bool> mount_blob(const Descriptor& blob, const std::string& from);
  Result<void> push_blob(const Descriptor& blob, FdRef file, Progress& progress);
  Result<void> put_manifest(const ImageDocument& document, const std::string& version);

  Result<std::vector<std::string>> tags();
  // Names of repositories; /v2/_catalog is no part of the specification, and many
  // registries refuse it.
  Result<std::vector<std::string>> catalog();

 private:
  enum class Right { None, Pull, Push, Catalog };
  Registry(RegistryReference reference, RegistryOptions options, std::unique_ptr<HttpClient> http,
           std::optional<Credentials> credentials);
  Result<void> ping();
  std::string url(const std::string& rest) const;
  std::vector<std::string> scopes(Right right) const;

  // With the Authorization header, renewed once; and with retries.
  Result<HttpAnswer> ask_once(HttpRequest request, const std::vector<std::string>& scopes);
  Result<HttpAnswer> ask(const HttpRequest& request, const std::vector<std::string>& scopes);
  // False when it is time to give up; else it has waited.
  bool wait_before(int attempt, const std::string& retry_after) const;
  Error failure(const HttpRequest& request, const HttpAnswer& answer) const;
  Result<std::vector<std::string>> list(std::string next, std::string_view member, Right right);
  Result<HttpAnswer> blob_from(const Descriptor& blob, const HttpRequest& request);

  friend class BlobUpload;

  RegistryReference reference_;
  RegistryOptions options_;
  std::unique_ptr<HttpClient> http_;
  RegistryAuth auth_;
  std::string base_;  // "https://host:port"
};

// Whether the same request may do better a moment later.
bool may_pass(const Error& error);
bool may_pass(const HttpAnswer& answer);
