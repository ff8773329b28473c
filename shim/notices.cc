// SPDX-License-Identifier: Apache-2.0
#include "notices.h"

#include <syslog.h>
#include <unistd.h>

#include "common/json.h"

void Notices::event(std::string_view name, int pid, std::string_view data) const {
  (void)events_.emit(id_, name, pid, data);  // a monitor that does not listen is its own loss
}

void Notices::warn(std::string_view name, std::string_view text) const {
  JsonWriter data;
  data.begin_object().member("message", text).end_object();
  event(name, 0, data.take());
  if (syslog_) ::syslog(LOG_WARNING, "%s: %s", id_.c_str(), std::string(text).c_str());
  if (quiet_) return;
  const std::string line = "shim: " + id_ + ": " + std::string(text) + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());  // nowhere to report its failure
}
