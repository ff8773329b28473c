// SPDX-License-Identifier: Apache-2.0
#include "transfer.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace {

constexpr int kDeepestIndex = 8;
constexpr std::size_t kMostBlobs = 4096;  // of one manifest

// Layers that are to be had elsewhere and that nobody may hand on.
bool is_foreign(const Descriptor& layer) {
  return layer.media_type.find("nondistributable") != std::string::npos ||
         layer.media_type.find("foreign") != std::string::npos;
}

class Copier {
 public:
  Copier(ImageSource& source, ImageTarget& target, const CopyOptions& options, Progress& progress)
      : source_(&source), target_(&target), options_(&options), progress_(&progress) {}

  Result<ImageDocument> run() {
    ImageDocument root = TRY(source_->root());
    if (!options_->all) root = TRY(choose(std::move(root)));
    TRY(copy_below(root, 0));
    TRY(target_->finish(root));
    return root;
  }

 private:
  Result<ImageDocument> read(const Descriptor& descriptor) {
    return ImageDocument{descriptor, TRY(source_->document(descriptor))};
  }

  Result<ImageDocument> choose(ImageDocument document) {
    for (int depth = 0; document.descriptor.is_index(); ++depth) {
      if (depth == kDeepestIndex) return Error{"too many indexes within indexes"};
      const std::string name = "index " + document.descriptor.digest.text();
      const auto entries = TRY(parse_index(name, document.bytes));
      const Descriptor chosen = TRY(choose_platform(entries, options_->platform, name));
      document = TRY(read(chosen));
    }
    return document;
  }

  // Everything that the document names; itself is the caller's business.
  Result<void> copy_below(const ImageDocument& document, int depth) {
    const std::string digest = document.descriptor.digest.text();
    if (!document.descriptor.is_index())
      return copy_blobs(TRY(parse_manifest("manifest " + digest, document.bytes)));
    if (depth == kDeepestIndex) return Error{"too many indexes within indexes"};
    for (const Descriptor& entry : TRY(parse_index("index " + digest, document.bytes))) {
      const ImageDocument child = TRY(read(entry));
      TRY(copy_below(child, depth + 1));
      TRY(target_->put_document(child));
    }
    return {};
  }

  Result<void> copy_blobs(const Manifest& manifest) {
    std::vector<Descriptor> blobs = {manifest.config};
    for (const Descriptor& layer : manifest.layers)
      if (!is_foreign(layer) || !skips_foreign()) blobs.push_back(layer);
    if (blobs.size() > kMostBlobs)
      return Error{"the manifest names " + std::to_string(blobs.size()) + " blobs: too many"};
    std::erase_if(blobs,
                  [this](const Descriptor& blob) { return !seen_.insert(blob.digest).second; });
    for (const Descriptor& blob : blobs) progress_->expect(blob);
    const std::size_t most = target_->sequential() ? 1 : std::max(1U, options_->jobs);
    return copy_in_parallel(blobs, std::min(most, blobs.size()));
  }

  bool skips_foreign() const { return dynamic_cast<RegistryTarget*>(target_) != nullptr; }

  Result<void> copy_in_parallel(const std::vector<Descriptor>& blobs, std::size_t workers) {
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> failed = false;
    std::mutex mutex;
    std::optional<Error> error;
    const auto work = [&] {
      for (std::size_t i = next++; i < blobs.size() && !failed; i = next++) {
        auto copied = copy_blob(blobs[i]);
        if (copied) continue;
        failed = true;
        const std::lock_guard lock(mutex);
        if (!error) error = std::move(copied).error();
      }
    };
    std::vector<std::thread> helpers;
    for (std::size_t i = 1; i < workers; ++i) helpers.emplace_back(work);
    work();
    for (std::thread& helper : helpers) helper.join();
    if (error) return *std::move(error);
    return {};
  }

  Result<void> copy_blob(const Descriptor& blob) {
    if (TRY(target_->has(blob)) || TRY(target_->link(blob))) {
      progress_->skipped(blob);
      return {};
    }
    const UniqueFd file = TRY(source_->blob(blob, *progress_));
    TRY(target_->put(blob, file, *progress_));
    progress_->finished(blob);
    return {};
  }

  ImageSource* source_;
  ImageTarget* target_;
  const CopyOptions* options_;
  Progress* progress_;
  std::set<Digest> seen_;
};

}  // namespace

Result<ImageDocument> copy_image(ImageSource& source, ImageTarget& target,
                                 const CopyOptions& options, Progress& progress) {
  return Copier(source, target, options, progress).run();
}
