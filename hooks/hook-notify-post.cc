// SPDX-License-Identifier: Apache-2.0
// hook-notify-post.cc - one HTTP POST of what is on standard input: the part of
// hook-notify that needs libcurl, started by it in the background.
#include <curl/curl.h>

#include <memory>

#include "common/fd.h"

#include "hook_main.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"url", 0, Kind::Value, "URL", "http or https"},
    {"header", 0, Kind::List, "LINE", "one more header of the request"},
    {"timeout", 0, Kind::Value, "SECONDS", "for all of it (default: 10)"},
};

struct EndCurl {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

Result<int> post(const ParsedWords& words) {
  const auto url = words.options.value("url");
  if (!url) return Error{"--url is needed"};
  const std::string body = TRY(read_all(FdRef(STDIN_FILENO), "standard input"));
  const std::unique_ptr<CURL, EndCurl> handle(::curl_easy_init());
  if (!handle) return Error{"libcurl cannot be used"};
  std::unique_ptr<curl_slist, EndCurl> headers;
  const auto add = [&](const std::string& line) {
    headers.reset(::curl_slist_append(headers.release(), line.c_str()));
  };
  add("Content-Type: application/json");
  for (const std::string& line : words.options.values("header")) add(line);
  CURL* curl = handle.get();
  (void)::curl_easy_setopt(curl, CURLOPT_URL, url->c_str());
  (void)::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  (void)::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  (void)::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  (void)::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  (void)::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
  (void)::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  (void)::curl_easy_setopt(curl, CURLOPT_TIMEOUT,
                           parse_integer(words.options.value_or("timeout", "10")).value_or(10));
  const CURLcode done = ::curl_easy_perform(curl);
  if (done != CURLE_OK) return Error{"post to '" + *url + "': " + ::curl_easy_strerror(done)};
  long status = 0;
  (void)::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return 0;
  return Error{"post to '" + *url + "': the answer is " + std::to_string(status)};
}

// Strict by nature: its exit status is how hook-notify knows that it has to try again.
Result<int> post_strictly(const ParsedWords& words) {
  const auto posted = post(words);
  if (posted) return *posted;
  std::fprintf(stderr, "hook-notify-post: %s\n", posted.error().text().c_str());
  return 1;
}

constexpr Hook kHook = {"hook-notify-post", "<TEXT", "POST what is on standard input", kOptions,
                        post_strictly};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
