// SPDX-License-Identifier: Apache-2.0
#include <cinttypes>
#include <cstdio>

#include "common/json.h"

#include "commands.h"
#include "options.h"
#include "usage.h"

namespace {

void print_row(const char* name, const Usage::Part& part) {
  std::printf("%-11s %7" PRIu64 " %10s %12s\n", name, part.count, human_size(part.bytes).c_str(),
              human_size(part.reclaimable).c_str());
}

void write_part(JsonWriter& out, const char* name, const Usage::Part& part) {
  out.key(name).begin_object().member("count", part.count).member("bytes", part.bytes);
  out.member("reclaimable", part.reclaimable).end_object();
}

}  // namespace

Result<int> cmd_df(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const Usage usage = TRY(measure_usage(store));
  if (arguments.options.flag("json")) {
    JsonWriter out(JsonWriter::Style::TwoSpaces);
    out.begin_object().member("images", usage.images);
    write_part(out, "blobs", usage.blobs);
    write_part(out, "layers", usage.layers);
    write_part(out, "bundles", usage.bundles);
    write_part(out, "cache", usage.cache);
    write_part(out, "unfinished", usage.unfinished);
    std::printf("%s\n", out.end_object().take().c_str());
    return 0;
  }
  std::printf("%-11s %7s %10s %12s\n", "WHAT", "COUNT", "SIZE", "RECLAIMABLE");
  std::printf("%-11s %7" PRIu64 "\n", "images", usage.images);
  print_row("blobs", usage.blobs);
  print_row("layers", usage.layers);
  print_row("bundles", usage.bundles);
  print_row("cache", usage.cache);
  print_row("unfinished", usage.unfinished);
  return 0;
}
