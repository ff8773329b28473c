// SPDX-License-Identifier: Apache-2.0
#include "engine_files.h"

#include <vector>

#include "common/beneath.h"
#include "common/cli.h"
#include "common/fd.h"
#include "common/json.h"

std::optional<int> known_exit_status(const OciState& state,
                                     std::span<const std::string> directories) {
  if (!is_plain_name(state.id)) return std::nullopt;
  std::vector<std::string> files = {"/run/shim/" + state.id + "/exit"};
  for (const std::string& directory : directories) files.push_back(directory + "/" + state.id);
  for (const std::string& file : files) {
    auto text = read_file(file, 64);
    if (!text) continue;
    while (text->ends_with('\n')) text->pop_back();
    if (const auto number = parse_integer(*text)) return static_cast<int>(*number);
  }
  return std::nullopt;
}

std::string known_labels(const OciState& state, const std::string& docker_root) {
  const auto object_of = [](const std::string& text) -> std::string {
    const auto document = JsonDocument::parse("labels", text);
    return document && document->root().is_object() ? document->root().json() : "";
  };
  if (const auto cri = state.annotations.find("io.kubernetes.cri-o.Labels");
      cri != state.annotations.end())
    return object_of(cri->second);
  if (docker_root.empty() || !is_plain_name(state.id)) return "";
  const std::string path = docker_root + "/containers/" + state.id + "/config.v2.json";
  const auto text = read_file(path, std::size_t{4} << 20);
  if (!text) return "";
  const auto document = JsonDocument::parse(path, *text);
  const auto config = document ? document->root().find("Config") : std::nullopt;
  const auto labels = config ? config->find("Labels") : std::nullopt;
  return labels && labels->is_object() ? labels->json() : "";
}
