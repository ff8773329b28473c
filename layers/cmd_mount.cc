// SPDX-License-Identifier: Apache-2.0
#include "common/json.h"

#include "change_commands.h"
#include "mount_image.h"
#include "options.h"

Result<int> cmd_mount(const Arguments& arguments) {
  const std::string& dir = arguments.positionals[1];
  MountOptions options;
  options.writable = arguments.options.flag("writable");
  options.upper = arguments.options.value("upper");
  options.limits = TRY(unpack_limits(arguments.options));
  const Platform platform = TRY(platform_option(arguments.options));
  const Store store = TRY(open_store(arguments));
  const Image image = TRY(store.load(arguments.positionals[0], platform));
  TRY(mount_image(store, image, dir, options));
  JsonWriter data;
  data.begin_object().member("image", image.name).end_object();
  open_events(arguments).emit(dir, "mount", 0, data.take());
  return 0;
}

Result<int> cmd_umount(const Arguments& arguments) {
  for (const std::string& dir : arguments.positionals) {
    TRY(unmount_image(store_path(arguments), dir));
    open_events(arguments).emit(dir, "umount");
  }
  return 0;
}
