// SPDX-License-Identifier: Apache-2.0
#include "registry_options.h"

#include <algorithm>

#include "archive_target.h"
#include "import.h"
#include "options.h"

namespace {

Result<int> small_number(const Options& options, const char* name, int otherwise, long most) {
  const auto text = options.value(name);
  if (!text) return otherwise;
  const auto number = parse_integer(*text);
  if (!number || *number < 0 || *number > most)
    return Error{"--" + std::string(name) + " '" + *text + "': expected a number up to " +
                 std::to_string(most)};
  return static_cast<int>(*number);
}

Result<std::unique_ptr<Store>> inner_store(const TempDir& place) {
  return std::make_unique<Store>(TRY(Store::open(place.path() + "/store")));
}

Result<OpenSource> open_layout(const Source& from, const Store& store, const Options& options) {
  OpenSource out;
  const std::uint64_t most_bytes = TRY(unpack_limits(options)).most_bytes;
  if (from.kind == Source::Kind::Oci) {
    out.layout = std::make_unique<Layout>(TRY(Layout::open(from.path)));
  } else if (from.kind == Source::Kind::OciArchive) {
    out.scratch.emplace(TRY(unpack_archive(store, from.path, most_bytes)));
    out.layout = std::make_unique<Layout>(TRY(Layout::open(out.scratch->path())));
  } else {
    // A manifest is made for it first, in a store that goes away again.
    out.scratch.emplace(TRY(store.scratch()));
    out.inner = TRY(inner_store(*out.scratch));
    ImportOptions how{.most_bytes = most_bytes};
    if (from.path == "-") how.name = "standard-input";
    const auto imported = TRY(import_source(*out.inner, from, how));
    if (std::ranges::any_of(imported, [&](const Imported& image) {
          return image.manifest.digest != imported.front().manifest.digest;
        }))
      return Error{"'" + from.path + "' has several images", 0,
                   "choose one: docker-archive:FILE:REFERENCE"};
    out.name = imported.front().name;
    out.source = std::make_unique<LayoutSource>(out.inner->layout(), imported.front().manifest);
    return out;
  }
  Descriptor root = TRY(out.layout->find(from.tag));
  if (auto name = default_name(from, root.ref_name())) out.name = *std::move(name);
  out.source = std::make_unique<LayoutSource>(*out.layout, std::move(root));
  return out;
}

// The first place that has the image: the mirrors in their order, then the registry itself.
Result<std::unique_ptr<Registry>> connect_for_pull(const RegistryReference& wanted,
                                                   const Options& options) {
  const RegistryOptions how = TRY(registry_options(options));
  for (const std::string& text : options.values("mirror")) {
    RegistryReference mirror = TRY(parse_registry_host(text));
    mirror.repository += (mirror.repository.empty() ? "" : "/") + wanted.repository;
    mirror.tag = wanted.tag;
    mirror.digest = wanted.digest;
    auto registry = Registry::connect(mirror, how);
    if (registry && (*registry)->manifest(mirror.version())) return registry;
  }
  return Registry::connect(wanted, how);
}

// Blobs of images that came from, or went to, the same registry.
RegistryTarget::Mounts known_mounts(const Store& store, const RegistryReference& to) {
  constexpr std::size_t kMostImages = 200;
  RegistryTarget::Mounts out;
  const auto images = store.images();
  if (!images) return out;
  std::size_t looked = 0;
  for (const Descriptor& entry : *images) {
    const std::string name = entry.ref_name().value_or("");
    if (!name.starts_with(to.host + "/") || ++looked > kMostImages) continue;
    const auto reference = parse_registry_reference(name);
    if (!reference || reference->repository == to.repository || !entry.is_manifest()) continue;
    const auto text = store.layout().read_blob(entry);
    const auto manifest = text ? parse_manifest(name, *text) : Result<Manifest>(Error{""});
    if (!manifest) continue;
    out.of_blobs.emplace(manifest->config.digest, reference->repository);
    for (const Descriptor& layer : manifest->layers)
      out.of_blobs.emplace(layer.digest, reference->repository);
  }
  return out;
}

}  // namespace

Result<RegistryOptions> registry_options(const Options& options) {
  RegistryOptions out;
  if (options.given("tls-verify")) out.verify_tls = options.flag("tls-verify");
  out.plain_http = options.flag("plain-http");
  out.auth_file = options.value("authfile");
  out.cert_dir = options.value_or("cert-dir", "");
  out.retries = TRY(small_number(options, "retry", out.retries, 100));
  if (const auto size = options.value("chunk-size")) out.chunk_size = TRY(parse_bytes(*size));
  if (const auto creds = options.value("creds")) {
    const auto colon = creds->find(':');
    if (colon == std::string::npos) return Error{"--creds: expected USER:PASSWORD"};
    out.credentials = Credentials{creds->substr(0, colon), creds->substr(colon + 1)};
  }
  return out;
}

Result<CopyOptions> copy_options(const Options& options) {
  CopyOptions out;
  out.platform = TRY(platform_option(options));
  out.all = options.flag("all");
  const auto jobs = TRY(small_number(options, "jobs", static_cast<int>(out.jobs), 64));
  out.jobs = static_cast<unsigned>(std::max(1, jobs));
  return out;
}

Result<OpenSource> open_pull(const std::string& reference, const Store& store,
                             const Options& options) {
  const RegistryReference wanted = TRY(parse_registry_reference(reference));
  OpenSource out;
  out.name = wanted.name();
  out.registry = TRY(connect_for_pull(wanted, options));
  out.source = std::make_unique<RegistrySource>(*out.registry, store);
  return out;
}

Result<OpenSource> open_source(const std::string& text, const Store& store,
                               const Options& options) {
  if (names_registry(text)) {
    TempDir scratch = TRY(store.scratch());
    auto inner = TRY(inner_store(scratch));
    OpenSource out = TRY(open_pull(text, *inner, options));
    out.scratch.emplace(std::move(scratch));
    out.inner = std::move(inner);
    return out;
  }
  if (const auto from = TRY(parse_source(text))) return open_layout(*from, store, options);
  OpenSource out;
  Descriptor root = TRY(store.find(text));
  out.name = root.ref_name().value_or("");
  out.source = std::make_unique<LayoutSource>(store.layout(), std::move(root));
  return out;
}

Result<OpenTarget> open_target(const std::string& text, const OpenSource& from, const Store& store,
                               const Options& options) {
  OpenTarget out;
  if (names_registry(text)) {
    const RegistryReference to = TRY(parse_registry_reference(text));
    const RegistryOptions how = TRY(registry_options(options));
    out.registry = TRY(Registry::connect(to, how));
    RegistryTarget::Mounts mounts = known_mounts(store, to);
    if (from.registry && from.registry->reference().host == to.host)
      mounts.of_all = from.registry->reference().repository;
    out.target = std::make_unique<RegistryTarget>(*out.registry, std::move(mounts));
    return out;
  }
  const auto to = TRY(parse_source(text));
  if (!to) {
    out.target = std::make_unique<StoreTarget>(store, TRY(full_name(text)));
    return out;
  }
  const std::string name = to->tag.value_or("");
  switch (to->kind) {
    case Source::Kind::Oci:
      out.target = TRY(LayoutTarget::open(to->path, name));
      return out;
    case Source::Kind::OciArchive:
      out.target = TRY(OciArchiveTarget::create(to->path, name.empty() ? from.name : name));
      return out;
    case Source::Kind::DockerArchive: {
      const std::string given = name.empty() ? from.name : TRY(full_name(name));
      out.target = TRY(DockerArchiveTarget::create(to->path, given, store));
      return out;
    }
    case Source::Kind::Tar:
      break;
  }
  return Error{"'" + text + "': an image cannot be written as tar:", 0,
               "use oci:, oci-archive: or docker-archive:, or unpack it and pack that"};
}
