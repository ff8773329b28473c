// SPDX-License-Identifier: Apache-2.0
#include "fetch.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <memory>

namespace {

struct Body {
  FdRef file;
  std::uint64_t left;
  std::optional<Error> error = {};
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* user) {
  auto* body = static_cast<Body*>(user);
  const std::size_t bytes = size * count;
  if (bytes > body->left) {
    body->error = Error{"the file is larger than the limit", EFBIG, "raise it with --max-size"};
    return 0;
  }
  body->left -= bytes;
  auto written = write_all(body->file, {data, bytes}, "downloaded file");
  if (written) return bytes;
  body->error = std::move(written).error();
  return 0;
}

struct Free {
  void operator()(CURL* handle) const noexcept { ::curl_easy_cleanup(handle); }
};

}  // namespace

Result<void> fetch(const std::string& url, FdRef file, std::uint64_t most_bytes) {
  const std::unique_ptr<CURL, Free> curl(::curl_easy_init());
  if (!curl) return Error{"fetch '" + url + "': no memory"};
  Body body{file, most_bytes};
  std::array<char, CURL_ERROR_SIZE> why = {};
  ::curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 10L);
  ::curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_FILETIME, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, 30L);
  ::curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, 60L);
  ::curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  ::curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  ::curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, why.data());
  const CURLcode code = ::curl_easy_perform(curl.get());
  if (body.error) return std::move(*body.error).in("fetch '" + url + "'");
  if (code != CURLE_OK)
    return Error{"fetch '" + url +
                 "': " + (why[0] != '\0' ? std::string(why.data()) : ::curl_easy_strerror(code))};
  curl_off_t changed = -1;
  (void)::curl_easy_getinfo(curl.get(), CURLINFO_FILETIME_T, &changed);
  const std::array<timespec, 2> times = {timespec{changed, 0}, timespec{changed, 0}};
  if (changed >= 0) (void)::futimens(file.get(), times.data());
  return {};
}
