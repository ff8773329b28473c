// SPDX-License-Identifier: Apache-2.0
#include "seccomp_calls.h"

#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <set>
#include <string_view>

namespace {

struct Architecture {
  std::uint32_t token;
  std::string_view name;
};
constexpr auto kArchitectures = std::to_array<Architecture>({
    {SCMP_ARCH_AARCH64, "SCMP_ARCH_AARCH64"},
    {SCMP_ARCH_ARM, "SCMP_ARCH_ARM"},
    {SCMP_ARCH_PPC64LE, "SCMP_ARCH_PPC64LE"},
    {SCMP_ARCH_RISCV64, "SCMP_ARCH_RISCV64"},
    {SCMP_ARCH_S390X, "SCMP_ARCH_S390X"},
    {SCMP_ARCH_X32, "SCMP_ARCH_X32"},
    {SCMP_ARCH_X86, "SCMP_ARCH_X86"},
    {SCMP_ARCH_X86_64, "SCMP_ARCH_X86_64"},
});

std::vector<std::uint32_t> tokens_here() {
  const std::uint32_t native = ::seccomp_arch_native();
  if (native == SCMP_ARCH_X86_64) return {native, SCMP_ARCH_X86, SCMP_ARCH_X32};
  if (native == SCMP_ARCH_AARCH64) return {native, SCMP_ARCH_ARM};
  return {native};
}

std::string call_name(std::uint32_t architecture, int number) {
  const std::unique_ptr<char, void (*)(void*)> name(
      ::seccomp_syscall_resolve_num_arch(architecture, number), std::free);
  return name ? std::string(name.get()) : std::string();
}

}  // namespace

std::string architecture_name(std::uint32_t token) {
  const auto it = std::ranges::find(kArchitectures, token, &Architecture::token);
  return it == kArchitectures.end() ? std::to_string(token) : std::string(it->name);
}

std::vector<std::string> architectures_here() {
  std::vector<std::string> out;
  for (const std::uint32_t token : tokens_here()) out.push_back(architecture_name(token));
  return out;
}

std::vector<std::string> all_calls() {
  std::set<std::string> out;
  constexpr int kMost = 1024;
  constexpr int kX32 = 0x40000000;
  for (const std::uint32_t token : tokens_here())
    for (int number = 0; number < kMost; ++number) {
      std::string name = call_name(token, token == SCMP_ARCH_X32 ? number | kX32 : number);
      if (!name.empty()) out.insert(std::move(name));
    }
  return {out.begin(), out.end()};
}

const std::string& CallNames::find(std::uint32_t architecture, int number) {
  const auto [it, fresh] = known_.try_emplace({architecture, number});
  if (fresh) it->second = call_name(architecture, number);
  return it->second;
}
