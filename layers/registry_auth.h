// SPDX-License-Identifier: Apache-2.0
// registry_auth.h - the Authorization header of a registry's requests.
//
// A registry that wants one answers 401 and says how it is got: Basic, or Bearer
// with a token that another server gives. Credentials go to that server only by
// https, unless the registry itself is asked by plain http.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "credentials.h"
#include "http.h"

struct Challenge {
  std::string scheme;                         // "bearer", "basic"
  std::map<std::string, std::string> values;  // realm, service, scope
};
// One header may hold several.
std::vector<Challenge> parse_challenges(std::string_view header);

class RegistryAuth {
 public:
  RegistryAuth(HttpClient& http, std::optional<Credentials> credentials)
      : http_(&http), credentials_(std::move(credentials)) {}

  // From an answer 401. False when it asks for nothing that we know.
  bool learn(const HttpAnswer& answer);
  // For requests that need `scopes` ("repository:web:pull"); empty when nobody asked.
  Result<std::string> header(const std::vector<std::string>& scopes, bool plain_http);
  // What was given last for these scopes did not help.
  void forget(const std::vector<std::string>& scopes);
  bool has_credentials() const { return credentials_.has_value(); }

 private:
  struct Token {
    std::string value;
    std::chrono::steady_clock::time_point until;
  };
  Result<Token> fetch_token(const std::vector<std::string>& scopes, bool plain_http);
  HttpRequest token_request(const std::vector<std::string>& scopes) const;

  HttpClient* http_;
  std::optional<Credentials> credentials_;
  std::mutex mutex_;
  std::optional<Challenge> challenge_;
  std::map<std::string, Token> tokens_;  // by scopes
};
