// SPDX-License-Identifier: Apache-2.0
#include "registry.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "common/cli.h"
#include "common/json.h"

#include "layout.h"

namespace {

constexpr std::size_t kMostNames = 1'000'000;  // a list without end is no list
constexpr int kMostPages = 1000;
constexpr std::size_t kListPage = std::size_t{16} << 20;
constexpr auto kLongestWait = std::chrono::seconds(60);
constexpr auto kFirstWait = std::chrono::milliseconds(200);

std::string certificates_for(const std::string& host) {
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): nobody sets any
  const auto places = std::to_array<std::string>(
      {"/etc/containers/certs.d/",
       std::string(home != nullptr ? home : "") + "/.config/containers/certs.d/",
       "/etc/docker/certs.d/"});
  for (const std::string& place : places)
    if (::access((place + host).c_str(), R_OK | X_OK) == 0) return place + host;
  return {};
}

// What the document itself says, which the Content-Type must not contradict.
Result<std::string> media_type_of(const std::string& name, const std::string& bytes,
                                  std::string content_type) {
  const JsonDocument document = TRY(JsonDocument::parse(name, bytes));
  const JsonView root = document.root();
  content_type = content_type.substr(0, content_type.find_first_of("; "));
  if (root.find("fsLayers"))
    return root.error("is a docker schema 1 manifest, which is no longer supported");
  std::string type;
  if (const auto own = root.find("mediaType")) type = TRY(own->string());
  const bool known = content_type == kOciManifest || content_type == kOciIndex ||
                     content_type == kDockerManifest || content_type == kDockerIndex;
  if (!type.empty() && known && type != content_type)
    return root.error("says it is '" + printable(type) + "', the registry says '" +
                      printable(content_type) + "'");
  if (!type.empty()) return type;
  if (known) return content_type;
  return std::string(root.find("manifests") ? kOciIndex : kOciManifest);
}

// {"errors":[{"code":"…","message":"…"}]}; whatever else: nothing.
std::string errors_in(const std::string& body) {
  std::string out;
  const auto document = JsonDocument::parse("answer", body);
  if (!document || !document->root().is_object()) return out;
  const auto errors = document->root().find("errors");
  const auto items =
      errors ? errors->items() : Result<std::vector<JsonView>>(std::vector<JsonView>());
  if (!items) return out;
  for (const JsonView& item : *items) {
    if (!item.is_object()) continue;
    for (const char* key : {"code", "message"})
      if (const auto text = item.find(key))
        if (auto value = text->string()) out.append(": ").append(printable(*value));
  }
  return out;
}

// Link: <URL>; rel="next"
std::string next_link(const std::string& header) {
  if (header.find("rel=\"next\"") == std::string::npos &&
      header.find("rel=next") == std::string::npos)
    return {};
  const auto begin = header.find('<');
  const auto end = header.find('>', begin);
  return end == std::string::npos ? "" : header.substr(begin + 1, end - begin - 1);
}

}  // namespace

bool may_pass(const Error& error) {
  return error.code == ECONNRESET || error.code == ETIMEDOUT;
}

bool may_pass(const HttpAnswer& answer) {
  constexpr auto kPassing = std::to_array<long>({408, 425, 429, 500, 502, 503, 504});
  return std::ranges::find(kPassing, answer.status) != kPassing.end();
}

Registry::Registry(RegistryReference reference, RegistryOptions options,
                   std::unique_ptr<HttpClient> http, std::optional<Credentials> credentials)
    : reference_(std::move(reference)),
      options_(std::move(options)),
      http_(std::move(http)),
      auth_(*http_, std::move(credentials)) {}

Result<std::unique_ptr<Registry>> Registry::connect(RegistryReference reference,
                                                    const RegistryOptions& options) {
  std::optional<Credentials> credentials = options.credentials;
  if (!credentials) credentials = TRY(find_credentials(reference, options.auth_file));
  HttpClient::Options http{.verify_tls = options.verify_tls, .host = reference.endpoint()};
  http.cert_dir = options.cert_dir.empty() ? certificates_for(reference.host) : options.cert_dir;
  auto client = TRY(HttpClient::create(std::move(http)));
  std::unique_ptr<Registry> registry(
      new Registry(std::move(reference), options, std::move(client), std::move(credentials)));
  TRY(registry->ping());
  return registry;
}

Result<void> Registry::ping() {
  const std::string host = reference_.endpoint();
  const bool may_be_plain = !options_.verify_tls || is_loopback(host);
  base_ = (options_.plain_http ? "http://" : "https://") + host;
  HttpRequest request{.url = base_ + "/v2/"};
  auto answer = ask(request, {});
  if (!answer && answer.error().code == EPROTO && may_be_plain) {
    base_ = "http://" + host;
    request.url = base_ + "/v2/";
    answer = ask(request, {});
  }
  if (!answer && answer.error().code == EPROTO && !may_be_plain)
    return std::move(answer).error().with_hint(
        "does the registry speak plain http? then say --plain-http");
  if (!answer) return std::move(answer).error();
  if (answer->status == 401) (void)auth_.learn(*answer);
  return {};
}

Result<void> Registry::check_login() {
  const HttpRequest request{.url = base_ + "/v2/"};
  const HttpAnswer answer = TRY(ask(request, {}));
  if (answer.status == 200) return {};
  return failure(request, answer);
}

std::string Registry::url(const std::string& rest) const {
  return base_ + "/v2/" + reference_.repository + rest;
}

std::vector<std::string> Registry::scopes(Right right) const {
  switch (right) {
    case Right::None:
      break;
    case Right::Pull:
      return {"repository:" + reference_.repository + ":pull"};
    case Right::Push:
      return {"repository:" + reference_.repository + ":pull,push"};
    case Right::Catalog:
      return {"registry:catalog:*"};
  }
  return {};
}

Result<HttpAnswer> Registry::ask_once(HttpRequest request, const std::vector<std::string>& scopes) {
  const bool plain = base_.starts_with("http://");
  // Credentials are for this registry; an upload may be sent to another host.
  const bool ours = same_origin(request.url, base_);
  if (ours) request.authorization = TRY(auth_.header(scopes, plain));
  HttpAnswer answer = TRY(http_->perform(request));
  if (answer.status != 401 || !ours) return answer;
  if (!auth_.learn(answer)) return answer;
  auth_.forget(scopes);
  const std::string before = std::exchange(request.authorization, TRY(auth_.header(scopes, plain)));
  if (request.authorization.empty() || request.authorization == before) return answer;
  return http_->perform(request);
}

Result<HttpAnswer> Registry::ask(const HttpRequest& request,
                                 const std::vector<std::string>& scopes) {
  for (int attempt = 0;; ++attempt) {
    auto answer = ask_once(request, scopes);
    const bool again = answer ? may_pass(*answer) : may_pass(answer.error());
    if (!again || !wait_before(attempt, answer ? answer->header("retry-after") : "")) return answer;
  }
}

bool Registry::wait_before(int attempt, const std::string& retry_after) const {
  if (attempt >= options_.retries) return false;
  auto wait =
      std::min<std::chrono::milliseconds>(kFirstWait * (1 << std::min(attempt, 16)), kLongestWait);
  // Only seconds: a date would need the server's clock to be ours.
  if (const auto seconds = parse_integer(retry_after); seconds && *seconds >= 0)
    wait = std::min<std::chrono::milliseconds>(std::chrono::seconds(std::min(*seconds, 3600L)),
                                               kLongestWait);
  // So that many clients that failed together do not come back together.
  thread_local std::minstd_rand random(std::random_device{}());
  wait +=
      std::chrono::milliseconds(std::uniform_int_distribution<long>(0, wait.count() / 4)(random));
  std::this_thread::sleep_for(wait);
  return true;
}

Error Registry::failure(const HttpRequest& request, const HttpAnswer& answer) const {
  Error out{request.method + " " + printable(request.url) + ": status " +
            std::to_string(answer.status) + errors_in(answer.body)};
  if (answer.status == 401 || answer.status == 403) {
    out.code = EACCES;
    out.hint = auth_.has_credentials() ? "the registry does not accept this user for it"
                                       : "log in with: layers login " + reference_.host;
  }
  if (answer.status == 404) out.code = ENOENT;
  if (answer.status == 429) out.hint = "the registry limits how often it is asked; try later";
  return out;
}

Result<ImageDocument> Registry::manifest(const std::string& version) {
  HttpRequest request{.url = url("/manifests/" + version)};
  request.limit = kDocumentLimit;
  for (const std::string_view type : {kOciManifest, kDockerManifest, kOciIndex, kDockerIndex})
    request.headers.push_back("Accept: " + std::string(type));
  HttpAnswer answer = TRY(ask(request, scopes(Right::Pull)));
  if (answer.status == 404)
    return Error{
        "no image '" + reference_.name() + "'" + errors_in(answer.body), ENOENT,
        "see what there is with: layers tags " + reference_.host + "/" + reference_.repository};
  if (answer.status != 200) return failure(request, answer);
  const Digest found = digest_of(answer.body);
  const std::string named = version.starts_with("sha256:") ? version
                            : answer.header("docker-content-digest").starts_with("sha256:")
                                ? answer.header("docker-content-digest")
                                : found.text();
  if (found.text() != named)
    return Error{"manifest " + reference_.name() + ": digest does not match its content: " +
                     printable(named, 80) + " is named, " + found.text() + " is here",
                 0, "the registry, or something on the way to it, is broken or hostile"};
  std::string type = TRY(
      media_type_of("manifest " + reference_.name(), answer.body, answer.header("content-type")));
  Descriptor descriptor{std::move(type), found, answer.body.size()};
  return ImageDocument{std::move(descriptor), std::move(answer.body)};
}

Result<std::vector<std::string>> Registry::list(std::string next, std::string_view member,
                                                Right right) {
  std::vector<std::string> out;
  for (int page = 0; !next.empty(); ++page) {
    HttpRequest request{.url = next};
    request.limit = kListPage;
    const HttpAnswer answer = TRY(ask(request, scopes(right)));
    if (answer.status != 200) return failure(request, answer);
    const JsonDocument document = TRY(JsonDocument::parse(printable(next), answer.body));
    const std::size_t before = out.size();
    if (const auto names = document.root().find(member))
      for (std::string& name : TRY(names->strings())) out.push_back(std::move(name));
    const std::string link = next_link(answer.header("link"));
    next = link.empty() ? "" : TRY(resolve_url(request.url, link));
    if (!next.empty() && (out.size() == before || out.size() > kMostNames || page == kMostPages))
      return Error{printable(request.url) + ": the list has no end"};
    if (!next.empty() && !same_origin(next, base_))
      return Error{printable(request.url) + ": the list goes on at another host"};
  }
  return out;
}

Result<std::vector<std::string>> Registry::tags() {
  return list(url("/tags/list?n=1000"), "tags", Right::Pull);
}

Result<std::vector<std::string>> Registry::catalog() {
  auto names = list(base_ + "/v2/_catalog?n=1000", "repositories", Right::Catalog);
  if (!names && (names.error().code == EACCES || names.error().code == ENOENT))
    return std::move(names).error().with_hint(
        "many registries do not tell strangers what they hold; layers tags lists one repository");
  return names;
}
