// SPDX-License-Identifier: Apache-2.0
// verb_inspect.cc - `netsetup inspect` and `netsetup check`.
#include <cerrno>
#include <cstdio>

#include "common/json.h"

#include "verbs.h"

namespace {

Result<std::vector<Member>> members_of(const Store& store, const std::string& id) {
  if (!is_identifier(id, kLongestId)) return Error{"'" + id + "' is no container id"};
  auto members = TRY(store.members("", id));
  if (members.empty())
    return Error{"container '" + id + "' is in no network", ENOENT, "netsetup ls shows who is"};
  return members;
}

}  // namespace

Result<int> verb_inspect(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const auto members = TRY(members_of(store, arguments.positionals[0]));
  JsonWriter json;
  json.begin_array();
  for (const Member& member : members) json.raw(to_json(member));
  std::printf("%s\n", json.end_array().take().c_str());
  return 0;
}

Result<int> verb_check(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const FileLock lock = TRY(store.lock());
  const auto members = TRY(members_of(store, arguments.positionals[0]));
  bool good = true;
  for (const Member& member : members) {
    const auto differences = TRY(check(store, member));
    for (const std::string& text : differences)
      std::printf("%s: %s\n", owner_of(member).c_str(), text.c_str());
    good = good && differences.empty();
  }
  return good ? 0 : 1;
}
