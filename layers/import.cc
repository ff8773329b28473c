// SPDX-License-Identifier: Apache-2.0
#include "import.h"

#include <memory>

#include "file_stream.h"
#include "layer_applier.h"
#include "layer_stream.h"
#include "tar_reader.h"

namespace {

// The manifest and all that it names, from `layout`; then its name.
Result<Imported> import_image(const Store& store, const Layout& layout, const Image& image,
                              Store::From where) {
  for (const Descriptor& layer : image.manifest.layers) TRY(store.take_blob(layout, layer, where));
  TRY(store.take_blob(layout, image.manifest.config, where));
  TRY(store.take_blob(layout, image.descriptor, where));
  Descriptor named = image.descriptor;
  if (!named.platform) named.platform = image.config.platform;
  auto replaced = TRY(store.tag(named, image.name));
  return Imported{image.name, std::move(named), std::move(replaced)};
}

Result<std::vector<Imported>> import_from(const Store& store, const Layout& layout,
                                          const Source& source, const ImportOptions& options) {
  Descriptor descriptor = TRY(layout.find(source.tag));
  std::string name = options.name ? TRY(full_name(*options.name))
                                  : TRY(default_name(source, descriptor.ref_name()));
  const Image image = TRY(layout.load(name, std::move(descriptor), options.platform));
  const auto where =
      source.kind == Source::Kind::Oci ? Store::From::Elsewhere : Store::From::Scratch;
  std::vector<Imported> out;
  out.push_back(TRY(import_image(store, layout, image, where)));
  return out;
}

}  // namespace

Result<UniqueFd> open_input(const std::string& path) {
  if (path != "-") return open_at(kCwd, path, O_RDONLY);
  UniqueFd copy(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!copy) return errno_error("open", "standard input");
  return copy;
}

Result<TempDir> unpack_archive(const Store& store, const std::string& path,
                               std::uint64_t most_bytes) {
  TempDir dir = TRY(store.scratch());
  LayerExpectation expected;
  expected.diff_size_limit = most_bytes;
  LayerStream stream(std::make_unique<FileStream>(TRY(open_input(path)), path), expected);
  TarReader tar(stream);
  LayerApplier applier(dir.fd(), {.files_only = true});
  auto applied = applier.apply(tar);
  if (!applied) return std::move(applied).error().in("'" + path + "'");
  auto finished = stream.finish();
  if (!finished) return std::move(finished).error().in("'" + path + "'");
  return dir;
}

Result<std::vector<Imported>> import_layout(const Store& store, const Source& source,
                                            const ImportOptions& options) {
  return import_from(store, TRY(Layout::open(source.path)), source, options);
}

Result<std::vector<Imported>> import_oci_archive(const Store& store, const Source& source,
                                                 const ImportOptions& options) {
  const TempDir dir = TRY(unpack_archive(store, source.path, options.most_bytes));
  return import_from(store, TRY(Layout::open(dir.path())), source, options);
}

Result<std::vector<Imported>> import_source(const Store& store, const Source& source,
                                            const ImportOptions& options) {
  switch (source.kind) {
    case Source::Kind::Oci:
      return import_layout(store, source, options);
    case Source::Kind::OciArchive:
      return import_oci_archive(store, source, options);
    case Source::Kind::DockerArchive:
      return import_docker_archive(store, source, options);
    case Source::Kind::Tar:
      break;
  }
  return import_tar(store, source, options);
}
