// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "common/json.h"

#include "change_commands.h"
#include "change_options.h"
#include "options.h"

namespace {

const char* letter(Change::Kind kind) {
  if (kind == Change::Kind::Added) return "A";
  return kind == Change::Kind::Deleted ? "D" : "C";
}

void print_list(const std::vector<Change>& changes) {
  for (const Change& change : changes)
    std::printf("%s /%s\n", letter(change.kind), change.path.c_str());
}

void print_json(const std::vector<Change>& changes) {
  JsonWriter out(JsonWriter::Style::TwoSpaces);
  out.begin_array();
  for (const Change& change : changes)
    out.begin_object()
        .member("kind", letter(change.kind))
        .member("path", "/" + change.path)
        .end_object();
  std::printf("%s\n", out.end_array().take().c_str());
}

Result<void> write_layer(const Options& given, const ChangedTree& tree) {
  // An archive is not compressed unless somebody asks for it.
  const Compression compression =
      given.given("compression") ? TRY(compression_option(given)) : Compression::None;
  const auto path = given.value("output");
  if (!path && ::isatty(STDOUT_FILENO) == 1)
    return Error{"a layer is no text for a terminal", 0, "use --list, or -o FILE"};
  UniqueFd file;
  if (path) file = TRY(open_at(kCwd, *path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  LayerOutput out(path ? FdRef(file) : FdRef(STDOUT_FILENO), compression);
  TRY(pack_layer(tree.root, tree.changes, pack_options(), out));
  const LayerFacts facts = TRY(out.finish());
  if (path) std::printf("%s %s\n", facts.diff_id.text().c_str(), facts.blob.text().c_str());
  return {};
}

Result<ChangedTree> two_trees(const std::string& before, const std::string& after) {
  const UniqueFd old_root = TRY(open_at(kCwd, before, O_RDONLY | O_DIRECTORY));
  ChangedTree out;
  out.root = TRY(open_at(kCwd, after, O_RDONLY | O_DIRECTORY));
  out.changes = TRY(tree_changes(old_root, out.root));
  return out;
}

Result<int> show(const Options& given, const ChangedTree& tree) {
  if (given.flag("json"))
    print_json(tree.changes);
  else if (given.flag("list"))
    print_list(tree.changes);
  else
    TRY(write_layer(given, tree));
  return 0;
}

}  // namespace

Result<int> cmd_diff(const Arguments& arguments) {
  const auto& places = arguments.positionals;
  if (places.size() == 2) return show(arguments.options, TRY(two_trees(places[0], places[1])));
  const ChangedTreeOptions options = TRY(changed_tree_options(arguments.options));
  const Store store = TRY(open_store(arguments));
  return show(arguments.options, TRY(changed_tree(store, places[0], options)));
}
