// SPDX-License-Identifier: Apache-2.0
// registry_blob.cc - blobs in: resumed where they broke off, never longer than said,
// and whole only when the digest agrees.
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "common/cli.h"
#include "common/json.h"

#include "registry.h"

namespace {

// A file that grows to be the blob, with the hash of what it has.
class Download {
 public:
  Download(const Descriptor& blob, FdRef file, Progress& progress)
      : blob_(&blob), file_(file), progress_(&progress) {}

  std::uint64_t size() const { return size_; }
  bool resumed() const { return resumed_; }

  // What an earlier run left is read again: it may be anything.
  Result<void> adopt_left() {
    struct stat st = {};
    if (::fstat(file_.get(), &st) != 0) return errno_error("stat", label());
    const auto left = static_cast<std::uint64_t>(st.st_size);
    if (left == 0) return {};
    if (left > blob_->size) return restart();
    std::array<char, std::size_t{64} << 10>
        buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (size_ < left) {
      const ssize_t n =
          ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(size_));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return errno_error("read", label());
      hash_.update(buffer.data(), static_cast<std::size_t>(n));
      size_ += static_cast<std::uint64_t>(n);
    }
    progress_->advance(size_);
    resumed_ = true;
    return {};
  }

  Result<void> restart() {
    if (::ftruncate(file_.get(), 0) != 0) return errno_error("truncate", label());
    progress_->retreat(size_);
    hash_ = Sha256();
    size_ = 0;
    resumed_ = false;
    return {};
  }

  // Called with the first piece of each answer, before it.
  Result<void> begin(const HttpAnswer& head) {
    if (head.status == 200) return size_ == 0 ? Result<void>() : restart();
    const std::string wanted = "bytes " + std::to_string(size_) + "-";
    if (head.header("content-range").starts_with(wanted)) return {};
    return Error{label() + ": the registry sends '" + printable(head.header("content-range")) +
                 "' instead of " + wanted};
  }

  Result<void> append(std::string_view piece) {
    if (piece.size() > blob_->size - size_)
      return Error{label() + ": is longer than the " + std::to_string(blob_->size) +
                   " bytes that its manifest says"};
    std::string_view rest = piece;
    while (!rest.empty()) {
      const ssize_t n = ::pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(size_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error("write", label());
      size_ += static_cast<std::uint64_t>(n);
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    hash_.update(piece);
    progress_->advance(piece.size());
    return {};
  }

  bool matches() {
    Sha256 hash = std::exchange(hash_, Sha256());
    return hash.finish() == blob_->digest;
  }

  std::string label() const { return "blob " + blob_->digest.text(); }

 private:
  const Descriptor* blob_;
  FdRef file_;
  Progress* progress_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
  bool resumed_ = false;
};

// Where layers that nobody may distribute are to be had instead.
std::vector<std::string> urls_of(const Descriptor& blob) {
  std::vector<std::string> out;
  const auto document = JsonDocument::parse("descriptor", blob.json);
  if (!document || !document->root().is_object()) return out;
  const auto urls = document->root().find("urls");
  if (!urls) return out;
  if (auto texts = urls->strings())
    for (std::string& url : *texts)
      if (url.starts_with("https://") || url.starts_with("http://")) out.push_back(std::move(url));
  return out;
}

}  // namespace

// From the registry; what it does not have, from the URLs of the descriptor. Those
// are asked without credentials, whatever they answer (CVE-2020-15157).
Result<HttpAnswer> Registry::blob_from(const Descriptor& blob, const HttpRequest& request) {
  auto answer = ask_once(request, scopes(Right::Pull));
  if (!answer || answer->status != 404) return answer;
  for (const std::string& other : urls_of(blob)) {
    HttpRequest elsewhere = request;
    elsewhere.url = other;
    auto found = http_->perform(elsewhere);
    if (found && (found->status == 200 || found->status == 206)) return found;
  }
  return answer;
}

Result<void> Registry::fetch_blob(const Descriptor& blob, FdRef file, Progress& progress) {
  Download download(blob, file, progress);
  TRY(download.adopt_left());
  const std::string address = url("/blobs/" + blob.digest.text());
  for (int attempt = 0;;) {
    if (download.size() == blob.size && blob.size > 0) {
      const bool resumed = download.resumed();
      if (download.matches()) return {};
      TRY(download.restart());
      // What was left may be another's; what came whole is what the registry has.
      if (!resumed)
        return Error{download.label() + ": digest does not match its content", 0,
                     "the registry, or something on the way to it, is broken or hostile"};
    }
    HttpRequest request{.url = address};
    const std::uint64_t before = download.size();
    if (before > 0) request.headers = {"Range: bytes=" + std::to_string(before) + "-"};
    bool begun = false;
    request.sink = [&](const HttpAnswer& head, std::string_view piece) -> Result<void> {
      if (!std::exchange(begun, true)) TRY(download.begin(head));
      return download.append(piece);
    };
    const auto answer = blob_from(blob, request);
    if (answer && answer->status == 416) {
      TRY(download.restart());
    } else if (answer && answer->status != 200 && answer->status != 206 && !may_pass(*answer)) {
      return failure(request, *answer);
    } else if (!answer && !may_pass(answer.error())) {
      return answer.error();
    }
    if (answer && blob.size == 0)
      return download.matches()
                 ? Result<void>()
                 : Error{download.label() + ": digest does not match: it cannot be empty"};
    if (download.size() == blob.size) continue;
    // Some of it came: the next attempt is a first one again.
    constexpr std::uint64_t kWorthwhile = std::uint64_t{1} << 20;
    attempt = download.size() >= before + kWorthwhile ? 0 : attempt + 1;
    if (!wait_before(attempt, answer ? answer->header("retry-after") : "")) {
      if (!answer) return answer.error();
      if (answer->status != 200 && answer->status != 206) return failure(request, *answer);
      return Error{download.label() + ": ends after " + std::to_string(download.size()) + " of " +
                   std::to_string(blob.size) + " bytes"};
    }
  }
}
