// SPDX-License-Identifier: Apache-2.0
// http.h - one request and its answer, over libcurl. http.cc is the only file that
// includes it.
//
// What a server says is hostile until proven otherwise: answers that are kept in
// memory have a limit, redirects lead to http and https only, never from https to
// http, and never carry credentials to another host.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

struct HttpAnswer {
  long status = 0;
  std::multimap<std::string, std::string> headers = {};  // names in lower case
  std::string body = {};                                 // what no sink took
  std::string header(const std::string& name) const;     // the first, or ""
};

// Gets the body of an answer 200 or 206, piece by piece.
using HttpSink = std::function<Result<void>(const HttpAnswer& head, std::string_view piece)>;

struct HttpFilePart {
  FdRef file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};
  std::string authorization = {};  // value of the header; never sent to another origin
  std::vector<std::string> headers = {};
  std::optional<std::string> text = {};          // body of the request: this,
  std::optional<HttpFilePart> file = {};         // or a part of a file
  std::function<void(std::uint64_t)> sent = {};  // bytes of the file, so far
  std::size_t limit = std::size_t{1} << 20;      // of a body that is kept in memory
  HttpSink sink = {};
};

class HttpClient {
 public:
  struct Options {
    bool verify_tls = true;
    std::string host = {};      // whose certificates and keys these are:
    std::string cert_dir = {};  // *.crt authorities, *.cert and *.key of ours
  };
  static Result<std::unique_ptr<HttpClient>> create(Options options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  // Any answer is a success; an error is that none came. For any number of
  // threads at once: each has a connection of its own. Errors that may pass
  // have the code ECONNRESET or ETIMEDOUT, a server without TLS EPROTO.
  Result<HttpAnswer> perform(const HttpRequest& request);

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  Result<HttpAnswer> once(const HttpRequest& request);
  std::unique_ptr<Impl> impl_;
};

// A Location as seen from `base`; only http and https, and no step down to http.
Result<std::string> resolve_url(const std::string& base, const std::string& location);
bool same_origin(const std::string& a, const std::string& b);
std::string url_encode(std::string_view text);
// Without what could steer a terminal, and of bounded length.
std::string printable(std::string_view text, std::size_t most = 300);
