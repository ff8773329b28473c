// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <span>

namespace {

constexpr std::string_view kDockerSchema1 = "application/vnd.docker.distribution.manifest.v1";
constexpr std::string_view kReferenceType = "vnd.docker.reference.type";

Result<std::string> optional_string(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  return member ? member->string() : Result<std::string>(std::string());
}

Result<std::vector<std::string>> optional_strings(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  return member ? member->strings() : Result<std::vector<std::string>>(std::vector<std::string>());
}

Result<std::map<std::string, std::string>> optional_map(const JsonView& object,
                                                        std::string_view key) {
  std::map<std::string, std::string> out;
  const auto member = object.find(key);
  if (!member) return out;
  for (const auto& [name, value] : TRY(member->members())) out[name] = TRY(value.string());
  return out;
}

Result<std::vector<std::string>> optional_keys(const JsonView& object, std::string_view key) {
  std::vector<std::string> out;
  const auto member = object.find(key);
  if (!member) return out;
  for (const auto& [name, value] : TRY(member->members())) out.push_back(name);
  std::ranges::sort(out);
  return out;
}

Result<Digest> digest_at(const JsonView& value) {
  auto digest = Digest::parse(TRY(value.string()));
  if (!digest) return value.error(digest.error().what);
  return digest;
}

Result<Platform> platform_of(const JsonView& object) {
  return Platform{TRY(optional_string(object, "os")), TRY(optional_string(object, "architecture")),
                  TRY(optional_string(object, "variant"))};
}

Result<Descriptor> descriptor_of(const JsonView& view) {
  const JsonView digest = TRY(view.at("digest"));
  const JsonView size = TRY(view.at("size"));
  Descriptor out{TRY(optional_string(view, "mediaType")), TRY(digest_at(digest)),
                 TRY(size.unsigned_integer())};
  if (const auto platform = view.find("platform")) out.platform = TRY(platform_of(*platform));
  out.annotations = TRY(optional_map(view, "annotations"));
  out.json = view.json();
  return out;
}

// A document that says it is one type and has the members of another is a trap:
// two readers would see two images behind one digest.
Result<void> refuse(const JsonView& root, std::string_view member, std::string_view what) {
  if (!root.find(member)) return {};
  return root.error("has '" + std::string(member) + "', so it is no " + std::string(what));
}

Result<void> read_execution(const JsonView& root, ImageConfig& out) {
  const auto config = root.find("config");
  if (!config) return {};
  out.user = TRY(optional_string(*config, "User"));
  out.working_dir = TRY(optional_string(*config, "WorkingDir"));
  out.stop_signal = TRY(optional_string(*config, "StopSignal"));
  out.env = TRY(optional_strings(*config, "Env"));
  out.entrypoint = TRY(optional_strings(*config, "Entrypoint"));
  out.cmd = TRY(optional_strings(*config, "Cmd"));
  out.volumes = TRY(optional_keys(*config, "Volumes"));
  out.exposed_ports = TRY(optional_keys(*config, "ExposedPorts"));
  out.labels = TRY(optional_map(*config, "Labels"));
  return {};
}

Result<void> read_history(const JsonView& root, ImageConfig& out) {
  const auto history = root.find("history");
  if (!history) return {};
  for (const JsonView& item : TRY(history->items())) {
    HistoryEntry entry{TRY(optional_string(item, "created")),
                       TRY(optional_string(item, "created_by")),
                       TRY(optional_string(item, "comment"))};
    if (const auto empty = item.find("empty_layer")) entry.empty_layer = TRY(empty->boolean());
    out.history.push_back(std::move(entry));
  }
  return {};
}

// Variants from the newest to the oldest; a machine runs its own and what follows.
constexpr auto kArmVariants = std::to_array<std::string_view>({"v8", "v7", "v6", "v5"});
constexpr auto kAmd64Variants = std::to_array<std::string_view>({"v4", "v3", "v2", "v1"});

// 0 is no fit; more is better.
int fit_of_variant(const Platform& wanted, const std::string& offered) {
  if (wanted.variant == offered) return 100;
  if (offered.empty()) return 50;
  if (wanted.architecture == "arm64") return offered == "v8" && wanted.variant.empty() ? 90 : 0;
  const bool arm = wanted.architecture == "arm";
  const std::span<const std::string_view> order =
      arm ? std::span<const std::string_view>(kArmVariants) : kAmd64Variants;
  const auto place = [&](std::string_view v) {
    return std::ranges::find(order, v) - order.begin();
  };
  const auto there = place(offered);
  if (there == std::ssize(order)) return 0;
  // Without a wish: any arm (newest first), but only the amd64 that all machines run.
  if (wanted.variant.empty())
    return arm ? 90 - static_cast<int>(there) : (offered == "v1" ? 90 : 0);
  return place(wanted.variant) <= there ? 90 - static_cast<int>(there) : 0;
}

int fit_of(const Platform& wanted, const Descriptor& entry) {
  if (!entry.platform || entry.annotations.contains(std::string(kReferenceType))) return 0;
  if (entry.platform->os != wanted.os || entry.platform->architecture != wanted.architecture)
    return 0;
  return fit_of_variant(wanted, entry.platform->variant);
}

std::string platforms_in(const std::vector<Descriptor>& entries) {
  std::string out;
  for (const Descriptor& entry : entries) {
    if (!entry.platform || entry.platform->os == "unknown") continue;
    out.append(out.empty() ? "" : ", ").append(entry.platform->text());
  }
  return out.empty() ? "none" : out;
}

}  // namespace

std::string Platform::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

Platform host_platform() {
  struct Machine {
    std::string_view uname;
    std::string_view architecture;
    std::string_view variant;
  };
  static constexpr auto kMachines = std::to_array<Machine>({
      {"x86_64", "amd64", ""},
      {"aarch64", "arm64", ""},
      {"armv7l", "arm", "v7"},
      {"armv6l", "arm", "v6"},
      {"i686", "386", ""},
      {"ppc64le", "ppc64le", ""},
      {"riscv64", "riscv64", ""},
      {"s390x", "s390x", ""},
      {"loongarch64", "loong64", ""},
  });
  utsname name = {};
  (void)::uname(&name);  // fails only for a bad pointer
  const std::string_view machine = name.machine;
  const auto found = std::ranges::find(kMachines, machine, &Machine::uname);
  if (found == kMachines.end()) return {"linux", std::string(machine), ""};
  return {"linux", std::string(found->architecture), std::string(found->variant)};
}

Result<Platform> parse_platform(std::string_view text) {
  Platform out;
  const auto first = text.find('/');
  if (first == std::string_view::npos || first == 0 || first + 1 == text.size())
    return Error{"platform '" + std::string(text) + "': expected OS/ARCHITECTURE[/VARIANT]"};
  const auto second = text.find('/', first + 1);
  out.os = text.substr(0, first);
  out.architecture = text.substr(
      first + 1, second == std::string_view::npos ? std::string_view::npos : second - first - 1);
  if (second != std::string_view::npos) out.variant = text.substr(second + 1);
  return out;
}

bool Descriptor::is_index() const {
  return media_type == kOciIndex || media_type == kDockerIndex;
}

bool Descriptor::is_manifest() const {
  return media_type == kOciManifest || media_type == kDockerManifest;
}

std::optional<std::string> Descriptor::ref_name() const {
  const auto found = annotations.find(std::string(kRefName));
  if (found == annotations.end()) return std::nullopt;
  return found->second;
}

Result<std::vector<Descriptor>> parse_index(const std::string& name, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  const JsonView root = document.root();
  TRY(refuse(root, "config", "image index"));
  TRY(refuse(root, "layers", "image index"));
  std::vector<Descriptor> out;
  const auto manifests = root.find("manifests");
  if (!manifests) return out;
  for (const JsonView& item : TRY(manifests->items())) out.push_back(TRY(descriptor_of(item)));
  return out;
}

Result<Manifest> parse_manifest(const std::string& name, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  const JsonView root = document.root();
  const std::string type = TRY(optional_string(root, "mediaType"));
  if (type.starts_with(kDockerSchema1) || root.find("fsLayers"))
    return root.error("is a docker schema 1 manifest, which is no longer supported");
  if (!type.empty() && type != kOciManifest && type != kDockerManifest)
    return root.error("has the media type '" + type + "', so it is no image manifest");
  TRY(refuse(root, "manifests", "image manifest"));
  const JsonView config = TRY(root.at("config"));
  const JsonView layers = TRY(root.at("layers"));
  Manifest out{TRY(descriptor_of(config)), {}};
  for (const JsonView& item : TRY(layers.items())) out.layers.push_back(TRY(descriptor_of(item)));
  return out;
}

Result<ImageConfig> parse_image_config(const std::string& name, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  const JsonView root = document.root();
  ImageConfig out{TRY(platform_of(root))};
  out.created = TRY(optional_string(root, "created"));
  out.author = TRY(optional_string(root, "author"));
  const JsonView rootfs = TRY(root.at("rootfs"));
  const JsonView type = TRY(rootfs.at("type"));
  if (TRY(type.string()) != "layers") return type.error("expected 'layers'");
  if (const auto ids = rootfs.find("diff_ids"))
    for (const JsonView& id : TRY(ids->items())) out.diff_ids.push_back(TRY(digest_at(id)));
  TRY(read_execution(root, out));
  TRY(read_history(root, out));
  return out;
}

Result<Descriptor> choose_platform(const std::vector<Descriptor>& entries, const Platform& wanted,
                                   const std::string& name) {
  const Descriptor* best = nullptr;
  int best_fit = 0;
  for (const Descriptor& entry : entries) {
    const int fit = fit_of(wanted, entry);
    if (fit <= best_fit) continue;
    best = &entry;
    best_fit = fit;
  }
  if (best != nullptr) return *best;
  if (entries.size() == 1 && !entries[0].platform) return entries[0];
  return Error{
      "'" + name + "' has no image for " + wanted.text() + "; it has: " + platforms_in(entries), 0,
      "choose one with --platform OS/ARCHITECTURE"};
}
