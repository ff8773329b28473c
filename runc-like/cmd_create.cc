// SPDX-License-Identifier: Apache-2.0
// create: everything but the program itself; init waits for `start`.
#include "verbs.h"

Result<int> cmd_create(const Arguments& arguments) {
  const EventLog events = events_of(arguments);
  LaunchOptions options = TRY(launch_options(arguments));
  Launched launched = TRY(launch(std::move(options), events));
  launched.keep();
  return 0;
}
