// SPDX-License-Identifier: Apache-2.0
#include "change_commands.h"
#include "change_options.h"
#include "image_writer.h"
#include "options.h"

Result<int> cmd_commit(const Arguments& arguments) {
  const Options& given = arguments.options;
  const Compression compression = TRY(compression_option(given));
  const ChangedTreeOptions options = TRY(changed_tree_options(given));
  const Store store = TRY(open_store(arguments));
  const ChangedTree tree = TRY(changed_tree(store, arguments.positionals[0], options));
  NewImage image = tree.base ? TRY(NewImage::of(store.layout(), *tree.base))
                             : NewImage::scratch(options.platform);
  NewHistory history = history_option(given, "layers commit");
  image.config.root.set("created", json_text(creation_time()));
  if (const auto author = given.value("author"))
    image.config.root.set("author", json_text(*author));
  if (tree.changes.empty()) {
    history.empty_layer = true;
    image.config.add_history(history);
  } else {
    add_layer(image, TRY(store_changes(store, compression, tree.root, tree.changes)), history);
  }
  TRY(publish_image(arguments, store, image, arguments.positionals[1], "commit"));
  return 0;
}
