// SPDX-License-Identifier: Apache-2.0
// The block that init maps: header, texts and arrays, steps.
#include <algorithm>
#include <cstring>

#include "plan.h"

namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::uint32_t kNoHome = UINT32_MAX;

// Of several values for one name the last counts, as in a shell.
std::vector<std::string> without_duplicates(std::vector<std::string> env) {
  std::vector<std::string> out;
  out.reserve(env.size() + 3);
  for (std::size_t i = 0; i < env.size(); ++i) {
    const std::string_view name = std::string_view(env[i]).substr(0, env[i].find('='));
    const auto again = std::find_if(
        env.begin() + static_cast<std::ptrdiff_t>(i) + 1, env.end(), [&](const std::string& other) {
          return other.size() > name.size() && other[name.size()] == '=' && other.starts_with(name);
        });
    if (again == env.end()) out.push_back(env[i]);
  }
  return out;
}

}  // namespace

Plan::Plan() : block_(sizeof(wire::PlanHeader), '\0') {
  block_.reserve(8192);
  header_.magic = wire::kMagic;
  header_.home_slot = kNoHome;
}

std::uint32_t Plan::text(std::string_view value) {
  const auto at = static_cast<std::uint32_t>(block_.size());
  block_.append(value).push_back('\0');
  return at;
}

std::uint32_t Plan::bytes(const void* data, std::size_t size) {
  block_.resize((block_.size() + 7) & ~std::size_t{7});
  const auto at = static_cast<std::uint32_t>(block_.size());
  block_.append(static_cast<const char*>(data), size);
  return at;
}

std::uint32_t Plan::pointer_array(const std::vector<std::string>& values, bool spare) {
  std::vector<std::uint64_t> pointers;
  pointers.reserve(values.size() + 2);
  for (const std::string& value : values) pointers.push_back(wire::kPlanAddress + text(value));
  if (spare) pointers.push_back(0);
  pointers.push_back(0);
  return bytes(pointers.data(), pointers.size() * sizeof pointers[0]);
}

wire::Step& Plan::add(wire::Op op, std::string_view field) {
  PlannedStep& planned = steps.emplace_back();
  planned.step.op = op;
  planned.step.slot = -1;
  planned.field = field;
  return planned.step;
}

std::int32_t Plan::hand(Handed item) {
  handed.push_back(std::move(item));
  return wire::kFirstFree + static_cast<std::int32_t>(handed.size()) - 1;
}

void Plan::set_program(const std::vector<std::string>& args, std::vector<std::string> env,
                       bool needs_home) {
  program_ = args[0];
  env = without_duplicates(std::move(env));
  if (needs_home) std::erase_if(env, [](const std::string& e) { return e == "HOME="; });
  std::string_view path = kDefaultPath;
  for (const std::string& entry : env)
    if (entry.starts_with("PATH=")) path = std::string_view(entry).substr(5);
  header_.search_path = text(path);
  header_.argv = pointer_array(args);
  header_.envp = pointer_array(env, needs_home);
  header_.home_slot = needs_home ? static_cast<std::uint32_t>(env.size()) : kNoHome;
}

std::string Plan::serialise(int first_slot, unsigned kept, bool start_socket) const {
  std::string out = block_;
  out.resize((out.size() + 7) & ~std::size_t{7});
  wire::PlanHeader header = header_;
  header.first_slot = first_slot;
  header.slot_count = static_cast<std::uint32_t>(wire::kFirstFree + handed.size());
  header.kept = kept;
  header.start_socket = start_socket ? 1 : 0;
  header.steps = static_cast<std::uint32_t>(out.size());
  header.step_count = static_cast<std::uint32_t>(steps.size());
  out.reserve(out.size() + steps.size() * sizeof(wire::Step));
  for (const PlannedStep& planned : steps)
    out.append(reinterpret_cast<const char*>(&planned.step), sizeof planned.step);
  header.size = static_cast<std::uint32_t>(out.size());
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}
