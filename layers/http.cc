// SPDX-License-Identifier: Apache-2.0
#include "http.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "directory_names.h"
#include "registry_reference.h"

namespace {

constexpr int kMostRedirects = 5;
constexpr long kConnectSeconds = 30;
constexpr long kSilentSeconds = 60;  // without a byte in either direction
constexpr long kBuffer = 512L << 10;
constexpr std::size_t kHeaderLimit = std::size_t{256} << 10;

struct FreeHandle {
  void operator()(CURL* handle) const noexcept { ::curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;

struct FreeList {
  void operator()(curl_slist* list) const noexcept { ::curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { ::curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

// One transfer, as the callbacks see it.
struct Transfer {
  const HttpRequest* request = nullptr;
  CURL* handle = nullptr;
  HttpAnswer answer = {};
  std::size_t header_bytes = 0;
  std::uint64_t uploaded = 0;
  std::optional<Error> error = {};

  bool fail(Error why) {
    if (!error) error = std::move(why);
    return false;
  }
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::size_t on_header(char* data, std::size_t unit, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line(data, unit * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > kHeaderLimit) {
    transfer.fail(Error{"the answer's headers have no end"});
    return 0;
  }
  if (line.starts_with("HTTP/")) transfer.answer.headers.clear();  // those of "100 Continue"
  const auto colon = line.find(':');
  if (colon != line.npos)
    transfer.answer.headers.emplace(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  return line.size();
}

bool take(Transfer& transfer, std::string_view piece) {
  (void)::curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
  const HttpRequest& request = *transfer.request;
  const long status = transfer.answer.status;
  if (request.sink && (status == 200 || status == 206)) {
    auto taken = request.sink(transfer.answer, piece);
    return taken ? true : transfer.fail(std::move(taken).error());
  }
  if (transfer.answer.body.size() + piece.size() > request.limit)
    return transfer.fail(
        Error{"the answer is longer than " + std::to_string(request.limit) + " bytes", EFBIG});
  transfer.answer.body.append(piece);
  return true;
}

std::size_t on_body(char* data, std::size_t unit, std::size_t count, void* context) {
  const std::string_view piece(data, unit * count);
  return take(*static_cast<Transfer*>(context), piece) ? piece.size() : 0;
}

std::size_t on_upload(char* data, std::size_t unit, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const HttpFilePart& part = *transfer.request->file;
  const std::size_t room = static_cast<std::size_t>(
      std::min<std::uint64_t>(unit * count, part.size - transfer.uploaded));
  ssize_t n = 0;
  do {
    n = ::pread(part.file.get(), data, room, static_cast<off_t>(part.offset + transfer.uploaded));
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    transfer.fail(errno_error("read", "blob"));
    return CURL_READFUNC_ABORT;
  }
  transfer.uploaded += static_cast<std::uint64_t>(n);
  if (transfer.request->sent) transfer.request->sent(transfer.uploaded);
  return static_cast<std::size_t>(n);
}

// When a connection breaks in the middle of a body, curl sends it from the start.
int on_rewind(void* context, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(context)->uploaded = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int errno_of(CURLcode code, long os_errno) {
  // NOLINTNEXTLINE(clang-diagnostic-switch-enum): the rest has no name of its own
  if (code == CURLE_COULDNT_CONNECT)
    return os_errno != 0 ? static_cast<int>(os_errno) : ECONNREFUSED;
  if (code == CURLE_OPERATION_TIMEDOUT) return ETIMEDOUT;
  if (code == CURLE_SSL_CONNECT_ERROR) return EPROTO;
  constexpr auto kBroken = std::to_array<CURLcode>(
      {CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2,
       CURLE_HTTP2_STREAM, CURLE_UPLOAD_FAILED, CURLE_WEIRD_SERVER_REPLY});
  return std::ranges::find(kBroken, code) != kBroken.end() ? ECONNRESET : 0;
}

// libcurl's options are typed by the second argument; a wrong one is a
// programming error, which it reports and we must not ignore.
template <class T>
void set(CURL* handle, CURLoption option, T value) {
  if (::curl_easy_setopt(handle, option, value) != CURLE_OK) std::abort();
}

Url parsed(const std::string& text) {
  Url url(::curl_url());
  if (!url || ::curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return nullptr;
  return url;
}

std::string part_of(const Url& url, CURLUPart part) {
  char* text = nullptr;
  const unsigned flags = part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0;
  if (!url || ::curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return {};
  std::string out = text;
  ::curl_free(text);
  return out;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void set_body(CURL* handle, const HttpRequest& request, Transfer& transfer) {
  if (request.text) {
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.text->size()));
    set(handle, CURLOPT_POSTFIELDS, request.text->c_str());
  } else if (request.file) {
    set(handle, CURLOPT_UPLOAD, 1L);
    set(handle, CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
    set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.file->size));
    set(handle, CURLOPT_READFUNCTION, on_upload);
    set(handle, CURLOPT_READDATA, static_cast<void*>(&transfer));
    set(handle, CURLOPT_SEEKFUNCTION, on_rewind);
    set(handle, CURLOPT_SEEKDATA, static_cast<void*>(&transfer));
  }
  if (request.method == "HEAD")
    set(handle, CURLOPT_NOBODY, 1L);
  else
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

List header_list(const HttpRequest& request) {
  List list;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = ::curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) std::abort();
    (void)list.release();
    list.reset(longer);
  };
  // An empty value takes a header away that curl adds by itself.
  add("Expect:");
  if (request.text) add("Content-Type:");
  if (!request.authorization.empty()) add("Authorization: " + request.authorization);
  for (const std::string& line : request.headers) add(line);
  return list;
}

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

struct HttpClient::Impl {
  Options options;
  std::string authorities;  // PEM, beside the system's
  std::string certificate;
  std::string key;
  std::mutex mutex;
  std::vector<Handle> idle;  // with their connections

  Result<void> read_certificates() {
    if (options.cert_dir.empty()) return {};
    const UniqueFd dir = TRY(open_at(kCwd, options.cert_dir, O_RDONLY | O_DIRECTORY));
    for (const std::string& name : TRY(directory_names(dir, options.cert_dir))) {
      const std::string path = options.cert_dir + "/" + name;
      if (name.ends_with(".crt")) authorities.append(TRY(read_file(path))).append("\n");
      if (name.ends_with(".cert")) certificate = path;
      if (name.ends_with(".key")) key = path;
    }
    return {};
  }

  void prepare(CURL* handle) const {
    ::curl_easy_reset(handle);
    set(handle, CURLOPT_NOSIGNAL, 1L);
    set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    set(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    set(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(handle, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
    set(handle, CURLOPT_BUFFERSIZE, kBuffer);
    set(handle, CURLOPT_USERAGENT, "layers");
    // Our own headers say how to log in; a .netrc must not.
    set(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    if (!options.verify_tls) {
      set(handle, CURLOPT_SSL_VERIFYPEER, 0L);
      set(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!authorities.empty()) {
      // Not copied: the text outlives the handle's use.
      curl_blob blob = {const_cast<char*>(authorities.data()),  // NOLINT: curl only reads it
                        authorities.size(), CURL_BLOB_NOCOPY};
      set(handle, CURLOPT_CAINFO_BLOB, &blob);
    }
    // A host without any authorities trusts nobody; that is no error before somebody asks.
    const curl_version_info_data* built = ::curl_version_info(CURLVERSION_NOW);
    if (built->cainfo != nullptr && ::access(built->cainfo, R_OK) != 0)
      set(handle, CURLOPT_CAINFO, static_cast<char*>(nullptr));
    if (!certificate.empty()) set(handle, CURLOPT_SSLCERT, certificate.c_str());
    if (!key.empty()) set(handle, CURLOPT_SSLKEY, key.c_str());
    // A proxy cannot reach what is local to us.
    if (is_loopback(options.host)) set(handle, CURLOPT_PROXY, "");
  }

  Handle checkout() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return Handle(::curl_easy_init());
    Handle out = std::move(idle.back());
    idle.pop_back();
    return out;
  }
  void put_back(Handle handle) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(handle));
  }
};

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::create(Options options) {
  static const CURLcode initialised = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK)
    return Error{"libcurl: " + std::string(::curl_easy_strerror(initialised))};
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  TRY(impl->read_certificates());
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(impl)));
}

Result<HttpAnswer> HttpClient::once(const HttpRequest& request) {
  Handle handle = impl_->checkout();
  if (!handle) return Error{"libcurl", ENOMEM};
  impl_->prepare(handle.get());
  Transfer transfer{.request = &request, .handle = handle.get()};
  const List headers = header_list(request);
  std::array<char, CURL_ERROR_SIZE> text = {};
  set(handle.get(), CURLOPT_URL, request.url.c_str());
  set(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  set(handle.get(), CURLOPT_ERRORBUFFER, text.data());
  set(handle.get(), CURLOPT_HEADERFUNCTION, on_header);
  set(handle.get(), CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(handle.get(), CURLOPT_WRITEFUNCTION, on_body);
  set(handle.get(), CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set_body(handle.get(), request, transfer);
  const CURLcode code = ::curl_easy_perform(handle.get());
  long os_errno = 0;
  (void)::curl_easy_getinfo(handle.get(), CURLINFO_OS_ERRNO, &os_errno);
  (void)::curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &transfer.answer.status);
  if (code == CURLE_OK) {
    impl_->put_back(std::move(handle));
    return std::move(transfer.answer);
  }
  const std::string what = request.method + " " + printable(request.url);
  if (transfer.error) return std::move(*transfer.error).in(what);
  const bool distrust = code == CURLE_PEER_FAILED_VERIFICATION;
  const std::string why = text[0] != '\0' ? text.data() : ::curl_easy_strerror(code);
  return Error{what + ": " + printable(why), errno_of(code, os_errno),
               distrust ? "put its authority into --cert-dir DIR as ca.crt, or say "
                          "--tls-verify=false"
                        : ""};
}

Result<HttpAnswer> HttpClient::perform(const HttpRequest& request) {
  HttpRequest next = request;
  for (int i = 0; i < kMostRedirects; ++i) {
    HttpAnswer answer = TRY(once(next));
    const bool safe = next.method == "GET" || next.method == "HEAD";
    const std::string location = answer.header("location");
    if (!safe || !is_redirect(answer.status) || location.empty()) return answer;
    std::string url = TRY(resolve_url(next.url, location));
    if (!same_origin(url, next.url)) next.authorization.clear();
    next.url = std::move(url);
  }
  return Error{request.method + " " + printable(request.url) + ": redirected too often"};
}

Result<std::string> resolve_url(const std::string& base, const std::string& location) {
  const Url url = parsed(base);
  const std::string from = part_of(url, CURLUPART_SCHEME);
  const auto refused = [&](const char* why) {
    return Error{printable(base) + " sends us to '" + printable(location) + "': " + why};
  };
  if (!url || ::curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK)
    return refused("that is no URL");
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "https" && scheme != "http") return refused("only http and https are followed");
  if (from == "https" && scheme == "http") return refused("that would leave https");
  return part_of(url, CURLUPART_URL);
}

bool same_origin(const std::string& a, const std::string& b) {
  const Url first = parsed(a);
  const Url second = parsed(b);
  return std::ranges::all_of(std::to_array({CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}),
                             [&](CURLUPart part) {
                               const std::string value = part_of(first, part);
                               return !value.empty() && value == part_of(second, part);
                             });
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (word || kPlain.find(c) != kPlain.npos) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  return out + (text.size() > most ? "…" : "");
}
