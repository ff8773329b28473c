// SPDX-License-Identifier: Apache-2.0
// state and list: what is known of one container, and of all.
#include <cstdio>

#include "common/json.h"

#include "verbs.h"

namespace {

// From /etc/passwd, by hand: no NSS in a static program.
std::string user_name(unsigned uid) {
  const auto passwd = read_file("/etc/passwd");
  if (passwd) {
    const std::string wanted = ":" + std::to_string(uid) + ":";
    std::size_t line = 0;
    while (line < passwd->size()) {
      const std::size_t end = std::min(passwd->find('\n', line), passwd->size());
      const std::size_t name_end = passwd->find(':', line);
      const std::size_t id =
          name_end == std::string::npos ? name_end : passwd->find(':', name_end + 1);
      if (id != std::string::npos && id < end && passwd->compare(id, wanted.size(), wanted) == 0)
        return passwd->substr(line, name_end - line);
      line = end + 1;
    }
  }
  return "#" + std::to_string(uid);
}

struct Row {
  Record record;
  Status status = Status::Stopped;
};

void print_json(const std::vector<Row>& rows) {
  if (rows.empty()) {
    std::puts("null");  // as the reference implementation says "none"
    return;
  }
  JsonWriter json;
  json.begin_array();
  for (const Row& row : rows) {
    const Record& r = row.record;
    json.begin_object();
    json.member("ociVersion", r.oci_version).member("id", r.id);
    json.member("pid", row.status == Status::Stopped ? 0 : r.pid);
    json.member("status", status_name(row.status)).member("bundle", r.bundle);
    json.member("rootfs", r.rootfs).member("created", r.created);
    if (!r.annotations.empty()) {
      json.key("annotations").begin_object();
      for (const auto& [key, value] : r.annotations) json.member(key, value);
      json.end_object();
    }
    json.member("owner", user_name(r.owner)).end_object();
  }
  std::puts(json.end_array().take().c_str());
}

void print_table(const std::vector<Row>& rows) {
  const auto line = [](const std::string& id, const std::string& pid, const std::string& status,
                       const std::string& bundle, const std::string& created,
                       const std::string& owner) {
    std::printf("%-20s %-10s %-10s %-30s %-32s %s\n", id.c_str(), pid.c_str(), status.c_str(),
                bundle.c_str(), created.c_str(), owner.c_str());
  };
  line("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
  for (const Row& row : rows)
    line(row.record.id, row.status == Status::Stopped ? "0" : std::to_string(row.record.pid),
         std::string(status_name(row.status)), row.record.bundle, row.record.created,
         user_name(row.record.owner));
}

}  // namespace

Result<int> cmd_state(const Arguments& arguments) {
  const Container container = TRY(Container::open(root_of(arguments), arguments.positionals[0]));
  std::puts(state_json(container.record(), container.status()).c_str());
  return 0;
}

Result<int> cmd_list(const Arguments& arguments) {
  const std::string root = root_of(arguments);
  const std::string format = arguments.options.value_or("format", "table");
  if (format != "table" && format != "json") return Error{"invalid format option '" + format + "'"};
  std::vector<Row> rows;
  for (const std::string& id : TRY(list_containers(root))) {
    // One that goes away meanwhile is not there.
    auto container = Container::open(root, id);
    if (container) rows.push_back({container->record(), container->status()});
  }
  if (arguments.options.flag("quiet")) {
    for (const Row& row : rows) std::puts(row.record.id.c_str());
    return 0;
  }
  if (format == "json")
    print_json(rows);
  else
    print_table(rows);
  return 0;
}
