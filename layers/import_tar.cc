// SPDX-License-Identifier: Apache-2.0
// import_tar.cc - a tar of a root file system becomes an image of one layer.
#include <cerrno>
#include <memory>

#include "file_stream.h"
#include "image_writer.h"
#include "import.h"
#include "layer_stream.h"
#include "tar_reader.h"

namespace {

// Hands on what it is asked for and writes a copy of it.
class CopyingStream final : public ByteStream {
 public:
  CopyingStream(ByteStream& source, FdRef copy) : source_(&source), copy_(copy) {}
  Result<std::string_view> next(std::size_t most) override {
    const std::string_view piece = TRY(source_->next(most));
    TRY(write_all(copy_, piece, "layer"));
    return piece;
  }

 private:
  ByteStream* source_;
  FdRef copy_;
};

// Reads all members: what is no tar ends here, not when somebody unpacks it.
Result<void> check_members(ByteStream& stream) {
  TarReader tar(stream);
  TarEntry entry;
  std::uint64_t count = 0;
  while (TRY(tar.next(entry))) ++count;
  if (count == 0) return Error{"has no members: not a tar archive"};
  // What follows the end marker belongs to the layer too.
  while (!TRY(stream.next(ChunkRing::kChunkSize)).empty()) {
  }
  return {};
}

// The bytes as they come when a layer may be stored so; else what they decompress to.
Result<Descriptor> store_layer(const Store& store, std::unique_ptr<FileStream> source,
                               std::uint64_t most_bytes, Digest& diff_id) {
  const Compression compression = compression_of(TRY(source->peek(kMagicSize)));
  const bool as_it_is = !layer_media_type(name_of(compression)).empty();
  const TempDir dir = TRY(store.scratch());
  const UniqueFd copy = TRY(open_at(dir.fd(), "blob", O_RDWR | O_CREAT | O_EXCL, 0600));
  LayerExpectation expected;
  expected.diff_size_limit = most_bytes;
  LayerStream stream(std::move(source), expected, as_it_is ? FdRef(copy) : FdRef(-1));
  if (as_it_is) {
    TRY(check_members(stream));
  } else {
    CopyingStream copying(stream, copy);
    TRY(check_members(copying));
  }
  const LayerFacts facts = TRY(stream.finish());
  diff_id = facts.diff_id;
  Descriptor out{layer_media_type(as_it_is ? name_of(compression) : "none"),
                 as_it_is ? facts.blob : facts.diff_id,
                 as_it_is ? facts.blob_size : facts.diff_size};
  TRY(store.adopt(copy, out.digest));
  return out;
}

}  // namespace

Result<std::vector<Imported>> import_tar(const Store& store, const Source& source,
                                         const ImportOptions& options) {
  const std::string shown = source.path == "-" ? "standard input" : "'" + source.path + "'";
  if (source.path == "-" && !options.name)
    return Error{"an image from standard input needs a name", 0, "layers import tar:- NAME"};
  const std::string name =
      options.name ? TRY(full_name(*options.name)) : TRY(default_name(source, std::nullopt));
  auto stream = std::make_unique<FileStream>(TRY(open_input(source.path)), source.path);
  Digest diff_id = digest_of("");
  auto stored = store_layer(store, std::move(stream), options.most_bytes, diff_id);
  if (!stored) return std::move(stored).error().in(shown);
  const Descriptor config =
      TRY(store.put(write_plain_config(options.platform, diff_id, "layers import"), kOciConfig));
  Descriptor manifest = TRY(store.put(write_manifest(config, {*stored}), kOciManifest));
  manifest.platform = options.platform;
  auto replaced = TRY(store.tag(manifest, name));
  std::vector<Imported> out;
  out.push_back({name, std::move(manifest), std::move(replaced)});
  return out;
}
