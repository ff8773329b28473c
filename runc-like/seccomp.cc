// SPDX-License-Identifier: Apache-2.0
// seccomp.cc - linux.seccomp as plain values; what cannot work is refused here.
#include "seccomp.h"

#include <algorithm>
#include <cerrno>

#include "seccomp_table.h"

namespace {

constexpr unsigned kMaxErrno = 4095;  // MAX_ERRNO of the kernel

template <class Table>
Result<typename Table::value_type> look_up(const JsonView& view, const Table& table,
                                           std::string_view kind) {
  const std::string name = TRY(view.string());
  const auto found =
      std::ranges::lower_bound(table, std::string_view(name), {}, &Table::value_type::name);
  if (found == table.end() || found->name != name)
    return view.error("unknown " + std::string(kind) + " '" + name + "'");
  return *found;
}

// An action and the errno beside it, under their two keys.
Result<std::uint32_t> read_action(const JsonView& object, std::string_view action_key,
                                  std::string_view errno_key) {
  const JsonView view = TRY(object.at(action_key));
  const SeccompAction action = TRY(look_up(view, kSeccompActions, "action"));
  const auto errno_view = object.find(errno_key);
  if (!errno_view) return action.takes_errno ? action.action | EPERM : action.action;
  const std::uint64_t value = TRY(errno_view->unsigned_integer());
  if (!action.takes_errno)
    return errno_view->error("has no meaning with " + std::string(action.name));
  if (value > kMaxErrno) return errno_view->error("must be at most 4095");
  return action.action | static_cast<std::uint32_t>(value);
}

Result<SeccompArgument> read_argument(const JsonView& view) {
  SeccompArgument argument;
  const JsonView index = TRY(view.at("index"));
  const std::uint64_t number = TRY(index.unsigned_integer());
  if (number > 5) return index.error("a system call has the arguments 0 to 5");
  argument.index = static_cast<unsigned>(number);
  const JsonView value = TRY(view.at("value"));
  argument.value = TRY(value.unsigned_integer());
  if (const auto two = view.find("valueTwo")) argument.value_two = TRY(two->unsigned_integer());
  const JsonView op = TRY(view.at("op"));
  argument.op = TRY(look_up(op, kSeccompOperators, "operator")).op;
  return argument;
}

Result<SeccompRule> read_rule(const JsonView& view) {
  SeccompRule rule;
  const JsonView names = TRY(view.at("names"));
  rule.names = TRY(names.strings());
  if (rule.names.empty()) return names.error("needs at least one name");
  rule.action = TRY(read_action(view, "action", "errnoRet"));
  rule.field = view.pointer();
  if (const auto arguments = view.find("args"))
    for (const JsonView& item : TRY(arguments->items()))
      rule.arguments.push_back(TRY(read_argument(item)));
  // The listener answers by write(2): a filter that asks it about write(2) waits for ever.
  if (rule.action == SCMP_ACT_NOTIFY && std::ranges::find(rule.names, "write") != rule.names.end())
    return names.error("SCMP_ACT_NOTIFY cannot be used for the write syscall");
  return rule;
}

Result<void> read_listener(const JsonView& view, SeccompSpec& spec) {
  if (const auto path = view.find("listenerPath")) spec.listener_path = TRY(path->string());
  const auto metadata = view.find("listenerMetadata");
  if (metadata) spec.listener_metadata = TRY(metadata->string());
  if (metadata && !spec.listener_metadata.empty() && spec.listener_path.empty())
    return metadata->error("needs a listenerPath");
  return {};
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> out;
  for (const auto& row : table) out.emplace_back(row.name);
  return out;
}

}  // namespace

Result<SeccompSpec> parse_seccomp(const JsonView& view, const KnownFilter& known) {
  SeccompSpec spec;
  spec.field = view.pointer();
  spec.text = view.json();
  spec.default_action = TRY(read_action(view, "defaultAction", "defaultErrnoRet"));
  if (spec.default_action == SCMP_ACT_NOTIFY)
    return TRY(view.at("defaultAction")).error("SCMP_ACT_NOTIFY cannot be the default action");
  if (const auto list = view.find("architectures"))
    for (const JsonView& item : TRY(list->items()))
      spec.architectures.push_back(TRY(look_up(item, kSeccompArchitectures, "architecture")).token);
  if (const auto list = view.find("flags"))
    for (const JsonView& item : TRY(list->items()))
      spec.flags |= TRY(look_up(item, kSeccompFlags, "flag")).flag;
  TRY(read_listener(view, spec));
  // Whether a listener is needed is written in the rules only.
  if (known && spec.text.find("SCMP_ACT_NOTIFY") == std::string::npos) spec.known = known(spec);
  if (spec.known) return spec;
  if (const auto list = view.find("syscalls"))
    for (const JsonView& item : TRY(list->items())) spec.rules.push_back(TRY(read_rule(item)));
  return spec;
}

std::vector<std::string> seccomp_action_names() {
  return names_of(kSeccompActions);
}

std::vector<std::string> seccomp_operator_names() {
  return names_of(kSeccompOperators);
}

std::vector<std::string> seccomp_architecture_names() {
  return names_of(kSeccompArchitectures);
}

std::vector<std::string> seccomp_flag_names() {
  return names_of(kSeccompFlags);
}
