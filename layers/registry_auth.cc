// SPDX-License-Identifier: Apache-2.0
#include "registry_auth.h"

#include <algorithm>
#include <cerrno>

#include "common/json.h"

namespace {

constexpr int kLeastSeconds = 60;  // what a token lives when its server does not say
constexpr std::string_view kBlank = " \t,";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t,="));
  text.remove_prefix(word.size());
  return word;
}

// After '=': a word, or a quoted string with its backslashes taken away.
std::string take_value(std::string_view& text) {
  std::string out;
  if (!text.starts_with('"')) {
    out = text.substr(0, text.find_first_of(kBlank));
    text.remove_prefix(out.size());
    return out;
  }
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : " ").append(text);
  return out;
}

std::string basic(const Credentials& credentials) {
  return "Basic " + base64_encode(credentials.username + ":" + credentials.password);
}

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view text) {
  std::vector<Challenge> out;
  while (text.find_first_not_of(kBlank) != text.npos) {
    const std::string word = lower(take_word(text));
    if (text.starts_with('=') && !out.empty()) {
      text.remove_prefix(1);
      out.back().values[word] = take_value(text);
    } else if (!word.empty()) {
      out.push_back({word, {}});
    } else {
      break;  // '=' without a name: no grammar that we know
    }
  }
  return out;
}

bool RegistryAuth::learn(const HttpAnswer& answer) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = answer.headers.equal_range("www-authenticate");
  std::optional<Challenge> chosen;
  for (auto header = first; header != last; ++header)
    for (Challenge& challenge : parse_challenges(header->second)) {
      const bool bearer = challenge.scheme == "bearer" && challenge.values.contains("realm");
      if (bearer || (challenge.scheme == "basic" && !chosen)) chosen = std::move(challenge);
    }
  if (!chosen) return false;
  challenge_ = std::move(chosen);
  return true;
}

void RegistryAuth::forget(const std::vector<std::string>& scopes) {
  const std::lock_guard lock(mutex_);
  tokens_.erase(joined(scopes));
}

Result<std::string> RegistryAuth::header(const std::vector<std::string>& scopes, bool plain_http) {
  // Held while a token is fetched: the others would only fetch the same.
  const std::lock_guard lock(mutex_);
  if (!challenge_) return std::string();
  if (credentials_ && !credentials_->registry_token.empty())
    return "Bearer " + credentials_->registry_token;
  if (challenge_->scheme == "basic") return credentials_ ? basic(*credentials_) : std::string();
  const std::string key = joined(scopes);
  const auto found = tokens_.find(key);
  if (found != tokens_.end() && found->second.until > std::chrono::steady_clock::now())
    return "Bearer " + found->second.value;
  Token token = TRY(fetch_token(scopes, plain_http));
  std::string out = "Bearer " + token.value;
  tokens_.insert_or_assign(key, std::move(token));
  return out;
}

HttpRequest RegistryAuth::token_request(const std::vector<std::string>& scopes) const {
  const auto& values = challenge_->values;
  const auto value = [&](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
  HttpRequest request{.url = value("realm")};
  if (credentials_ && !credentials_->identity_token.empty()) {
    request.method = "POST";
    request.headers = {"Content-Type: application/x-www-form-urlencoded"};
    request.text =
        "grant_type=refresh_token&client_id=layers&service=" + url_encode(value("service")) +
        "&scope=" + url_encode(joined(scopes)) +
        "&refresh_token=" + url_encode(credentials_->identity_token);
    return request;
  }
  char separator = request.url.find('?') == std::string::npos ? '?' : '&';
  const auto add = [&](std::string_view name, std::string_view text) {
    request.url.append(1, separator).append(name).append("=").append(url_encode(text));
    separator = '&';
  };
  if (!value("service").empty()) add("service", value("service"));
  for (const std::string& scope : scopes) add("scope", scope);
  if (credentials_) {
    add("account", credentials_->username);
    request.authorization = basic(*credentials_);
  }
  return request;
}

Result<RegistryAuth::Token> RegistryAuth::fetch_token(const std::vector<std::string>& scopes,
                                                      bool plain_http) {
  const HttpRequest request = token_request(scopes);
  const bool encrypted = request.url.starts_with("https://");
  if (!encrypted && !(plain_http && request.url.starts_with("http://")))
    return Error{"the registry sends us for a token to '" + printable(request.url) +
                 "': not by https"};
  const HttpAnswer answer = TRY(http_->perform(request));
  const std::string what = "token from " + printable(request.url.substr(0, request.url.find('?')));
  if (answer.status == 401 || answer.status == 403 || answer.status == 400)
    return Error{what + ": refused", EACCES,
                 credentials_ ? "user name or password is wrong, or lacks this right"
                              : "log in with: layers login"};
  if (answer.status != 200) return Error{what + ": status " + std::to_string(answer.status)};
  const JsonDocument document = TRY(JsonDocument::parse(what, answer.body));
  auto value = document.root().find("token");
  if (!value) value = document.root().find("access_token");
  if (!value) return document.root().error("has neither token nor access_token");
  std::int64_t seconds = 0;
  if (const auto lifetime = document.root().find("expires_in")) seconds = TRY(lifetime->integer());
  seconds = std::clamp<std::int64_t>(seconds, kLeastSeconds, 86400);
  Token out{TRY(value->string()), {}};
  if (out.value.find_first_of("\r\n") != std::string::npos) return value->error("is no token");
  // A little early, since the request takes its time.
  out.until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds - 10);
  return out;
}
