// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "common/json.h"

#include "commands.h"
#include "image_tree.h"
#include "options.h"

namespace {

struct Row {
  std::string name;
  Digest digest;
  std::string platform;
  std::string created;
  std::uint64_t size = 0;  // compressed, of all layers
  std::size_t layers = 0;
};

// What cannot be read is listed all the same: that is when one looks.
Row row_of(const Layout& layout, const Descriptor& entry) {
  Row row{entry.ref_name().value_or("<none>"), entry.digest, "?", "", 0, 0};
  const Platform wanted = entry.platform.value_or(host_platform());
  row.platform = wanted.text();
  const auto image = layout.load(row.name, entry, wanted);
  if (!image) return row;
  row.platform = image->config.platform.text();
  row.created = image->config.created;
  row.layers = image->manifest.layers.size();
  for (const Descriptor& layer : image->manifest.layers) row.size += layer.size;
  return row;
}

void print_json(const std::vector<Row>& rows) {
  JsonWriter out(JsonWriter::Style::TwoSpaces);
  out.begin_array();
  for (const Row& row : rows)
    out.begin_object()
        .member("name", row.name)
        .member("digest", row.digest.text())
        .member("platform", row.platform)
        .member("created", row.created)
        .member("size", row.size)
        .member("layers", static_cast<std::uint64_t>(row.layers))
        .end_object();
  std::printf("%s\n", out.end_array().take().c_str());
}

void print_table(const std::vector<Row>& rows) {
  std::size_t width = 4;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  const auto column = static_cast<int>(width);
  std::printf("%-*s  %-12s  %-14s  %6s  %9s  %s\n", column, "NAME", "DIGEST", "PLATFORM", "LAYERS",
              "SIZE", "CREATED");
  for (const Row& row : rows)
    std::printf("%-*s  %-12s  %-14s  %6zu  %9s  %.19s\n", column, row.name.c_str(),
                row.digest.short_hex().c_str(), row.platform.c_str(), row.layers,
                human_size(row.size).c_str(), row.created.c_str());
}

}  // namespace

Result<int> cmd_images(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  if (arguments.options.flag("tree")) {
    std::printf("%s", TRY(image_tree(store)).c_str());
    return 0;
  }
  std::vector<Row> rows;
  for (const Descriptor& entry : TRY(store.images())) {
    if (arguments.options.flag("quiet")) {
      std::printf("%s\n", entry.ref_name().value_or(entry.digest.text()).c_str());
      continue;
    }
    rows.push_back(row_of(store.layout(), entry));
  }
  if (arguments.options.flag("quiet")) return 0;
  std::ranges::sort(rows, {}, &Row::name);
  if (arguments.options.flag("json"))
    print_json(rows);
  else
    print_table(rows);
  return 0;
}
