// SPDX-License-Identifier: Apache-2.0
// registry_push.cc - blobs and manifests out.
//
//   POST uploads/ ──202 Location──▶ PUT Location&digest=…      (in one piece)
//                                   PATCH…PATCH, PUT           (in chunks, or what is left)
//   POST uploads/?mount=…&from=…  ──201: another repository of the registry has it
//
// An upload that breaks off is asked how far it came and goes on from there.
#include <algorithm>
#include <cerrno>

#include "common/cli.h"

#include "registry.h"

// One upload session. A class of its own because it has a state: the address
// changes with every answer.
class BlobUpload {
 public:
  BlobUpload(Registry& registry, const Descriptor& blob, FdRef file, Progress& progress)
      : registry_(&registry), blob_(&blob), file_(file), progress_(&progress) {}

  // True when the registry takes the blob from its other repository.
  Result<bool> mount(const std::string& from) {
    HttpRequest request{.method = "POST", .url = registry_->url("/blobs/uploads/"), .text = ""};
    request.url += "?mount=" + url_encode(blob_->digest.text()) + "&from=" + url_encode(from);
    std::vector<std::string> scopes = registry_->scopes(Registry::Right::Push);
    scopes.push_back("repository:" + from + ":pull");
    const HttpAnswer answer = TRY(registry_->ask(request, scopes));
    if (answer.status == 201) return true;
    if (answer.status != 202) return false;
    // It has begun an upload instead; the blob may turn out not to be needed.
    TRY(move_to(request, answer));
    TRY(registry_->ask({.method = "DELETE", .url = location_}, scopes));
    return false;
  }

  Result<void> start() {
    HttpRequest request{.method = "POST", .url = registry_->url("/blobs/uploads/"), .text = ""};
    const HttpAnswer answer =
        TRY(registry_->ask(request, registry_->scopes(Registry::Right::Push)));
    if (answer.status != 202) return registry_->failure(request, answer);
    offset_ = 0;
    return move_to(request, answer);
  }

  Result<void> send() {
    for (int attempt = 0;;) {
      const std::uint64_t before = offset_;
      auto step = whole() ? put(0, blob_->size) : chunk();
      if (step && *step) return {};
      if (step) {
        attempt = 0;
        continue;
      }
      if (!may_pass(step.error()) || !registry_->wait_before(attempt, retry_after_))
        return std::move(step).error();
      TRY(find_place());
      attempt = offset_ > before ? 0 : attempt + 1;
    }
  }

 private:
  bool whole() const {
    return offset_ == 0 &&
           (registry_->options_.chunk_size == 0 || blob_->size <= registry_->options_.chunk_size);
  }

  Result<void> move_to(const HttpRequest& request, const HttpAnswer& answer) {
    const std::string location = answer.header("location");
    if (location.empty())
      return Error{request.method + " " + printable(request.url) +
                   ": the answer does not say where to send the blob"};
    location_ = TRY(resolve_url(request.url, location));
    return {};
  }

  HttpRequest part(const char* method, std::string address, std::uint64_t size) {
    HttpRequest request{.method = method, .url = std::move(address)};
    request.headers = {"Content-Type: application/octet-stream"};
    request.file = HttpFilePart{file_, offset_, size};
    request.sent = [this, last = std::uint64_t{0}](std::uint64_t now) mutable {
      if (now > last) {
        progress_->advance(now - last);
        counted_ += now - last;
      }
      last = now;
    };
    return request;
  }

  // The rest of the blob and its digest; true when the registry has it.
  Result<bool> put(std::uint64_t offset, std::uint64_t size) {
    offset_ = offset;
    const char separator = location_.find('?') == std::string::npos ? '?' : '&';
    HttpRequest request =
        part("PUT", location_ + separator + "digest=" + url_encode(blob_->digest.text()), size);
    const HttpAnswer answer = TRY(ask(request));
    if (answer.status == 201 || answer.status == 204) return true;
    return registry_->failure(request, answer);
  }

  Result<bool> chunk() {
    const std::uint64_t left = blob_->size - offset_;
    if (left == 0) return put(offset_, 0);
    const std::uint64_t most = registry_->options_.chunk_size;
    const std::uint64_t size = most == 0 ? left : std::min(most, left);
    HttpRequest request = part("PATCH", location_, size);
    request.headers.push_back("Content-Range: " + std::to_string(offset_) + "-" +
                              std::to_string(offset_ + size - 1));
    const HttpAnswer answer = TRY(ask(request));
    if (answer.status != 202) return registry_->failure(request, answer);
    TRY(move_to(request, answer));
    offset_ += size;
    return false;
  }

  // An answer that may pass becomes an error that may.
  Result<HttpAnswer> ask(const HttpRequest& request) {
    retry_after_.clear();
    HttpAnswer answer = TRY(registry_->ask_once(request, registry_->scopes(Registry::Right::Push)));
    if (!may_pass(answer)) return answer;
    retry_after_ = answer.header("retry-after");
    Error error = registry_->failure(request, answer);
    error.code = ECONNRESET;
    return error;
  }

  // How far it came; from the beginning when the registry has forgotten it.
  Result<void> find_place() {
    const HttpRequest request{.url = location_};
    const auto answer = registry_->ask(request, registry_->scopes(Registry::Right::Push));
    progress_->retreat(std::exchange(counted_, 0));
    if (!answer || answer->status != 204) {
      return start();
    }
    TRY(move_to(request, *answer));
    const std::string range = answer->header("range");
    const auto end = range.starts_with("0-") ? parse_integer(range.substr(2)) : std::nullopt;
    // "0-0" is what registries say of an upload without a byte.
    offset_ = end && *end > 0 ? std::min(blob_->size, static_cast<std::uint64_t>(*end) + 1) : 0;
    if (offset_ == 0) TRY(start());
    counted_ = offset_;
    progress_->advance(offset_);
    return {};
  }

  Registry* registry_;
  const Descriptor* blob_;
  FdRef file_;
  Progress* progress_;
  std::string location_;
  std::string retry_after_;
  std::uint64_t offset_ = 0;
  std::uint64_t counted_ = 0;  // what the progress knows of
};

Result<bool> Registry::has_blob(const Descriptor& blob) {
  const HttpRequest request{.method = "HEAD", .url = url("/blobs/" + blob.digest.text())};
  const HttpAnswer answer = TRY(ask(request, scopes(Right::Push)));
  if (answer.status == 200) return true;
  if (answer.status == 404) return false;
  return failure(request, answer);
}

Result<bool> Registry::mount_blob(const Descriptor& blob, const std::string& from) {
  if (from == reference_.repository) return false;
  Progress none("", true);
  return BlobUpload(*this, blob, FdRef(-1), none).mount(from);
}

Result<void> Registry::push_blob(const Descriptor& blob, FdRef file, Progress& progress) {
  BlobUpload upload(*this, blob, file, progress);
  TRY(upload.start());
  return upload.send();
}

Result<void> Registry::put_manifest(const ImageDocument& document, const std::string& version) {
  HttpRequest request{.method = "PUT", .url = url("/manifests/" + version)};
  request.headers = {"Content-Type: " + document.descriptor.media_type};
  request.text = document.bytes;
  const HttpAnswer answer = TRY(ask(request, scopes(Right::Push)));
  if (answer.status == 201 || answer.status == 202) return {};
  return failure(request, answer);
}
