// SPDX-License-Identifier: Apache-2.0
// seccomp_compile.cc - from the rules to the program that the kernel runs at
// each system call of the container.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "common/fd.h"

#include "seccomp.h"
#include "seccomp_cache.h"
#include "seccomp_table.h"
#include "seccomp_tree.h"

namespace {

constexpr std::uint32_t kX32Bit = 0x40000000;  // __X32_SYSCALL_BIT
constexpr std::string_view kFormat = "4";      // raise when the program for one text changes

struct Context {
  explicit Context(std::uint32_t default_action) : filter(::seccomp_init(default_action)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { ::seccomp_release(filter); }
  scmp_filter_ctx filter;
};

// libseccomp returns -errno.
Error libseccomp_error(std::string what, int status, const std::string& field) {
  Error error{std::move(what), -status};
  error.field = field;
  return error;
}

std::vector<std::uint32_t> all_architectures(const SeccompSpec& spec) {
  std::vector<std::uint32_t> out = {::seccomp_arch_native()};
  for (const std::uint32_t arch : spec.architectures)
    if (std::ranges::find(out, arch) == out.end()) out.push_back(arch);
  return out;
}

Result<void> add_architectures(const Context& context, const SeccompSpec& spec) {
  for (const std::uint32_t arch : all_architectures(spec)) {
    const int status = ::seccomp_arch_add(context.filter, arch);
    if (status != 0 && status != -EEXIST)
      return libseccomp_error("add a seccomp architecture", status, spec.field + "/architectures");
  }
  return {};
}

bool names_an_argument_twice(const std::vector<scmp_arg_cmp>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (arguments[k].arg == arguments[i].arg) return true;
  return false;
}

// All conditions must hold; but two on one argument cannot be one rule for
// libseccomp, and profiles written for other runtimes mean "either" by them.
int add_rule(const Context& context, const SeccompRule& rule, int number) {
  std::vector<scmp_arg_cmp> arguments;
  for (const SeccompArgument& a : rule.arguments)
    arguments.push_back({a.index, static_cast<scmp_compare>(a.op), a.value, a.value_two});
  if (!names_an_argument_twice(arguments))
    return ::seccomp_rule_add_array(context.filter, rule.action, number,
                                    static_cast<unsigned>(arguments.size()), arguments.data());
  for (const scmp_arg_cmp& argument : arguments)
    if (const int status =
            ::seccomp_rule_add_array(context.filter, rule.action, number, 1, &argument);
        status != 0)
      return status;
  return 0;
}

Result<void> add_rules(const Context& context, const SeccompSpec& spec) {
  for (const SeccompRule& rule : spec.rules) {
    if (rule.action == spec.default_action) continue;  // libseccomp refuses to say it twice
    for (const std::string& name : rule.names) {
      const int number = ::seccomp_syscall_resolve_name(name.c_str());
      if (number == __NR_SCMP_ERROR) continue;
      if (const int status = add_rule(context, rule, number); status != 0)
        return libseccomp_error(rule.field + ": add a seccomp rule for '" + name + "'", status,
                                rule.field);
    }
  }
  return {};
}

Result<std::vector<sock_filter>> export_filter(const Context& context) {
  // A search tree in place of a list.
  (void)::seccomp_attr_set(context.filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  const UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return errno_error("create", "memfd");
  if (const int status = ::seccomp_export_bpf(context.filter, file.get()); status != 0)
    return libseccomp_error("compile the seccomp filter", status, "");
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return errno_error("seek in", "memfd");
  const std::string bytes = TRY(read_all(file, "memfd"));
  std::vector<sock_filter> filter(bytes.size() / sizeof(sock_filter));
  std::memcpy(filter.data(), bytes.data(), filter.size() * sizeof(sock_filter));
  return filter;
}

// --- ENOSYS for system calls that are newer than the profile ------------------
//
// A C library tries the new call first and the old one when it gets ENOSYS; an
// EPERM from a profile that could not know the call would be taken as final.

// The highest number that the profile names, or nothing.
std::optional<std::uint32_t> newest_known(const SeccompSpec& spec, std::uint32_t arch) {
  int newest = -1;
  for (const SeccompRule& rule : spec.rules)
    for (const std::string& name : rule.names)
      newest = std::max(newest, ::seccomp_syscall_resolve_name_arch(arch, name.c_str()));
  if (newest < 0) return std::nullopt;
  return static_cast<std::uint32_t>(newest);
}

constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;

sock_filter statement(int code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}

sock_filter jump(int code, std::uint32_t value, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | code | BPF_K), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), value};
}

// Two instructions: falls through to what follows when the number is known.
void answer_newer(std::vector<sock_filter>& out, std::optional<std::uint32_t> newest) {
  if (!newest) return;
  out.push_back(jump(BPF_JGT, *newest, 0, 1));
  out.push_back(statement(BPF_RET, SCMP_ACT_ERRNO(ENOSYS)));
}

// For one audit architecture, with the number loaded. On x86-64 the x32 calls
// share it and are told apart by a bit of the number.
std::vector<sock_filter> newer_check(const SeccompSpec& spec, std::uint32_t arch, bool with_x32) {
  std::vector<sock_filter> plain;
  answer_newer(plain, newest_known(spec, arch));
  if (arch != SCMP_ARCH_X86_64) return plain;
  std::vector<sock_filter> x32;
  if (with_x32) answer_newer(x32, newest_known(spec, SCMP_ARCH_X32));
  std::vector<sock_filter> out;
  plain.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(x32.size())));
  out.push_back(jump(BPF_JGE, kX32Bit, plain.size(), 0));
  out.insert(out.end(), plain.begin(), plain.end());
  out.insert(out.end(), x32.begin(), x32.end());
  return out;
}

std::vector<sock_filter> put_newer_check_first(const SeccompSpec& spec,
                                               const std::vector<sock_filter>& filter) {
  if (!refuses_by_default(spec)) return filter;
  const auto architectures = all_architectures(spec);
  const bool with_x32 = std::ranges::find(architectures, SCMP_ARCH_X32) != architectures.end();
  std::vector<sock_filter> out;
  for (const std::uint32_t arch : architectures) {
    if (arch == SCMP_ARCH_X32) continue;
    const std::vector<sock_filter> check = newer_check(spec, arch, with_x32);
    if (check.empty()) continue;
    out.push_back(statement(kLoadWord, offsetof(seccomp_data, arch)));
    out.push_back(jump(BPF_JEQ, arch, 0, check.size() + 1));
    out.push_back(statement(kLoadWord, offsetof(seccomp_data, nr)));
    out.insert(out.end(), check.begin(), check.end());
  }
  out.insert(out.end(), filter.begin(), filter.end());
  return out;
}

void note_unknown_names(const SeccompSpec& spec, std::vector<std::string>& warnings) {
  for (const SeccompRule& rule : spec.rules)
    for (const std::string& name : rule.names)
      if (::seccomp_syscall_resolve_name(name.c_str()) == __NR_SCMP_ERROR)
        warnings.push_back(rule.field + ": unknown system call '" + name + "'");
}

// Everything that decides the program, as one text.
std::string cache_key(const SeccompSpec& spec) {
  const scmp_version* version = ::seccomp_version();
  std::string key("format ");
  key.append(kFormat);
  key += " libseccomp " + std::to_string(version->major) + "." + std::to_string(version->minor) +
         "." + std::to_string(version->micro) + " native " +
         std::to_string(::seccomp_arch_native()) + "\n";
  return key.append(spec.text);
}

Result<std::vector<sock_filter>> compile(const SeccompSpec& spec,
                                         std::vector<std::string>& warnings) {
  note_unknown_names(spec, warnings);
  const auto architectures = all_architectures(spec);
  std::vector<sock_filter> filter = tree_compiler_knows(architectures)
                                        ? compile_tree(spec, architectures)
                                        : TRY(compile_with_libseccomp(spec));
  if (filter.size() > BPF_MAXINSNS)
    return libseccomp_error("the seccomp filter has " + std::to_string(filter.size()) +
                                " instructions; the kernel takes 4096",
                            -E2BIG, spec.field);
  return filter;
}

Result<void> fill_flags(const SeccompSpec& spec, SeccompProgram& program) {
  program.notify = std::ranges::any_of(
      spec.rules, [](const SeccompRule& rule) { return rule.action == SCMP_ACT_NOTIFY; });
  program.listener_path = spec.listener_path;
  program.listener_metadata = spec.listener_metadata;
  // Init has one thread: there is none to synchronise, and the kernel refuses
  // TSYNC beside a listener.
  program.flags = spec.flags & ~static_cast<unsigned>(SECCOMP_FILTER_FLAG_TSYNC);
  constexpr unsigned kWaitKillable = 1U << 5;
  if (!program.notify) {
    program.flags &= ~kWaitKillable;  // means something to a listener only
    return {};
  }
  program.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  if (!spec.listener_path.empty()) return {};
  Error error{"SCMP_ACT_NOTIFY needs a listenerPath"};
  error.field = spec.field + "/listenerPath";
  return error;
}

}  // namespace

Result<std::vector<sock_filter>> compile_with_libseccomp(const SeccompSpec& spec) {
  const Context context(spec.default_action);
  if (!context.filter) return Error{"make a seccomp filter", ENOMEM};
  TRY(add_architectures(context, spec));
  TRY(add_rules(context, spec));
  return put_newer_check_first(spec, TRY(export_filter(context)));
}

KnownFilter filters_in(const std::string& cache_dir) {
  return [cache_dir](const SeccompSpec& spec) -> std::optional<std::vector<sock_filter>> {
    const auto cache = SeccompCache::open(cache_dir);
    return cache ? cache->find(cache_key(spec)) : std::nullopt;
  };
}

Result<SeccompProgram> compile_seccomp(const SeccompSpec& spec, const std::string& cache_dir) {
  SeccompProgram program;
  TRY(fill_flags(spec, program));
  if (spec.known) {
    program.filter = *spec.known;
    program.cached = true;
    return program;
  }
  const std::string key = cache_key(spec);
  const auto cache = SeccompCache::open(cache_dir);
  if (cache) {
    if (auto found = cache->find(key)) {
      program.filter = *std::move(found);
      program.cached = true;
      return program;
    }
  }
  program.filter = TRY(compile(spec, program.warnings));
  if (cache) cache->store(key, program.filter);
  return program;
}
