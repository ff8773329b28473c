// SPDX-License-Identifier: Apache-2.0
#include "seccomp_tree.h"

#include <linux/net.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <map>
#include <optional>
#include <ranges>
#include <string_view>

namespace {

constexpr std::uint32_t kX32Bit = 0x40000000;  // __X32_SYSCALL_BIT
constexpr std::uint32_t kNoCall = 0xffffffff;  // what a tracer writes to skip a call
constexpr std::uint32_t kEnosys = SCMP_ACT_ERRNO(ENOSYS);

using Code = std::vector<sock_filter>;

// --- instructions -------------------------------------------------------------

void append(Code& to, const Code& what) {
  to.insert(to.end(), what.begin(), what.end());
}

sock_filter load(std::size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
}

sock_filter answer(std::uint32_t action) {
  return {BPF_RET | BPF_K, 0, 0, action};
}

sock_filter jump(int test, std::uint32_t value, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), value};
}

// Both blocks end by an answer. A conditional jump reaches 255 instructions.
Code choose(int test, std::uint32_t value, const Code& yes, const Code& no) {
  Code out;
  if (no.size() <= 255) {
    out = {jump(test, value, no.size(), 0)};
  } else {
    out = {jump(test, value, 0, 1),
           {BPF_JMP | BPF_JA, 0, 0, static_cast<std::uint32_t>(no.size())}};
  }
  append(out, no);
  append(out, yes);
  return out;
}

// --- conditions on arguments ----------------------------------------------------

constexpr std::uint8_t kPass = 0xfe;  // until their distance is known
constexpr std::uint8_t kFail = 0xff;

std::size_t argument_offset(unsigned index) {
  return offsetof(seccomp_data, args) + index * sizeof(std::uint64_t);
}

// The low word decides: `test` with its outcomes.
void low_word(Code& out, const SeccompArgument& a) {
  const auto low = static_cast<std::uint32_t>(a.value);
  out.push_back(load(argument_offset(a.index)));
  switch (static_cast<scmp_compare>(a.op)) {
    case SCMP_CMP_EQ:
      out.push_back(jump(BPF_JEQ, low, kPass, kFail));
      break;
    case SCMP_CMP_NE:
      out.push_back(jump(BPF_JEQ, low, kFail, kPass));
      break;
    case SCMP_CMP_GT:
      out.push_back(jump(BPF_JGT, low, kPass, kFail));
      break;
    case SCMP_CMP_GE:
      out.push_back(jump(BPF_JGE, low, kPass, kFail));
      break;
    case SCMP_CMP_LT:
      out.push_back(jump(BPF_JGE, low, kFail, kPass));
      break;
    case SCMP_CMP_LE:
      out.push_back(jump(BPF_JGT, low, kFail, kPass));
      break;
    case SCMP_CMP_MASKED_EQ:
    case _SCMP_CMP_MIN:
    case _SCMP_CMP_MAX:
      out.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, low});
      out.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(a.value_two) & low, kPass, kFail));
      break;
  }
}

// The high word decides unless it is equal.
void high_word(Code& out, const SeccompArgument& a) {
  const auto high = static_cast<std::uint32_t>(a.value >> 32);
  out.push_back(load(argument_offset(a.index) + 4));
  switch (static_cast<scmp_compare>(a.op)) {
    case SCMP_CMP_EQ:
      out.push_back(jump(BPF_JEQ, high, 0, kFail));
      break;
    case SCMP_CMP_NE:
      out.push_back(jump(BPF_JEQ, high, 0, kPass));
      break;
    case SCMP_CMP_GT:
    case SCMP_CMP_GE:
      out.push_back(jump(BPF_JGT, high, kPass, 0));
      out.push_back(jump(BPF_JEQ, high, 0, kFail));
      break;
    case SCMP_CMP_LT:
    case SCMP_CMP_LE:
      out.push_back(jump(BPF_JGT, high, kFail, 0));
      out.push_back(jump(BPF_JEQ, high, 0, kPass));
      break;
    case SCMP_CMP_MASKED_EQ:
    case _SCMP_CMP_MIN:
    case _SCMP_CMP_MAX:
      out.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, high});
      out.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(a.value_two >> 32) & high, 0, kFail));
      break;
  }
}

// Falls through when the condition holds; kFail stays open.
Code condition(const SeccompArgument& a, bool wide) {
  Code out;
  if (wide) high_word(out, a);
  low_word(out, a);
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::uint8_t* target : {&out[i].jt, &out[i].jf})
      if (BPF_CLASS(out[i].code) == BPF_JMP && *target == kPass)
        *target = static_cast<std::uint8_t>(out.size() - i - 1);
  return out;
}

// --- what is known of one system call -------------------------------------------

struct Condition {
  std::vector<SeccompArgument> arguments;  // all must hold
  std::uint32_t action;
};

struct Answer {
  std::optional<std::uint32_t> always;  // wins over conditions, as with libseccomp
  std::vector<Condition> conditions;    // the first that holds
  bool wide = true;                     // arguments have 64 bits

  bool same_as(const Answer& other) const {
    return always && other.always && *always == *other.always;
  }
};

Code code_of(const Answer& known, std::uint32_t otherwise) {
  if (known.always) return {answer(*known.always)};
  Code out;
  for (const Condition& c : known.conditions) {
    Code rule;
    for (const SeccompArgument& a : c.arguments) append(rule, condition(a, known.wide));
    rule.push_back(answer(c.action));
    for (std::size_t i = 0; i < rule.size(); ++i)
      for (std::uint8_t* target : {&rule[i].jt, &rule[i].jf})
        if (BPF_CLASS(rule[i].code) == BPF_JMP && *target == kFail)
          *target = static_cast<std::uint8_t>(rule.size() - i - 1);
    append(out, rule);
  }
  out.push_back(answer(otherwise));
  return out;
}

using Answers = std::map<std::uint32_t, Answer>;

// Conditions on one argument are alternatives (see seccomp_compile.cc).
bool names_an_argument_twice(const std::vector<SeccompArgument>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (arguments[k].index == arguments[i].index) return true;
  return false;
}

void learn(Answer& known, const SeccompRule& rule, std::vector<SeccompArgument> arguments) {
  if (known.always) return;
  if (arguments.empty()) {
    known.always = rule.action;
    known.conditions.clear();
  } else if (names_an_argument_twice(arguments)) {
    for (const SeccompArgument& a : arguments) known.conditions.push_back({{a}, rule.action});
  } else {
    known.conditions.push_back({std::move(arguments), rule.action});
  }
}

// i386 has the socket and IPC calls twice: each by itself, and all behind
// socketcall(2) or ipc(2), whose first argument says which. libseccomp has
// negative numbers for the latter.
struct Multiplexed {
  int number;  // of socketcall or ipc
  std::uint64_t selector;
};

std::optional<Multiplexed> multiplexed(int pseudo) {
  constexpr int kSocketcall = 102;
  constexpr int kIpc = 117;
  if (pseudo <= -101 && pseudo >= -120)
    return Multiplexed{kSocketcall, static_cast<std::uint64_t>(-pseudo - 100)};
  if (pseudo <= -201 && pseudo >= -224)
    return Multiplexed{kIpc, static_cast<std::uint64_t>(-pseudo - 200)};
  return std::nullopt;
}

// The calls of their own, by the number behind socketcall (Linux 4.3) and ipc (5.1).
struct Direct {
  int pseudo;
  int number;
};
constexpr auto kDirectI386 = std::to_array<Direct>({
    {-100 - SYS_SOCKET, 359},
    {-100 - SYS_SOCKETPAIR, 360},
    {-100 - SYS_BIND, 361},
    {-100 - SYS_CONNECT, 362},
    {-100 - SYS_LISTEN, 363},
    {-100 - SYS_ACCEPT4, 364},
    {-100 - SYS_GETSOCKOPT, 365},
    {-100 - SYS_SETSOCKOPT, 366},
    {-100 - SYS_GETSOCKNAME, 367},
    {-100 - SYS_GETPEERNAME, 368},
    {-100 - SYS_SENDTO, 369},
    {-100 - SYS_SENDMSG, 370},
    {-100 - SYS_RECVFROM, 371},
    {-100 - SYS_RECVMSG, 372},
    {-100 - SYS_SHUTDOWN, 373},
    {-100 - SYS_RECVMMSG, 337},
    {-100 - SYS_SENDMMSG, 345},
    {-202, 393},
    {-203, 394},
    {-211, 400},
    {-212, 401},
    {-213, 399},
    {-214, 402},
    {-221, 397},
    {-222, 398},
    {-223, 395},
    {-224, 396},
});

// What one name means on one architecture: numbers, with the selector if any.
void learn_i386(Answers& answers, const SeccompRule& rule, int number) {
  int pseudo = number;
  for (const Direct& d : kDirectI386)
    if (d.number == number || d.pseudo == number) {
      pseudo = d.pseudo;
      learn(answers[static_cast<std::uint32_t>(d.number)], rule, rule.arguments);
    }
  const auto muxed = multiplexed(pseudo);
  if (!muxed) return;
  // The other arguments lie in memory, where a filter cannot look: those that
  // are named for the first register give way to the selector.
  std::vector<SeccompArgument> arguments = {{0, muxed->selector, 0, SCMP_CMP_EQ}};
  for (const SeccompArgument& a : rule.arguments)
    if (a.index != 0) arguments.push_back(a);
  learn(answers[static_cast<std::uint32_t>(muxed->number)], rule, std::move(arguments));
}

struct Architecture {
  Answers answers;
  std::optional<std::uint32_t> newest;  // the highest number that the profile names
};

Architecture learn_architecture(const SeccompSpec& spec, std::uint32_t token) {
  Architecture out;
  const bool wide = token != SCMP_ARCH_X86 && token != SCMP_ARCH_X32 && token != SCMP_ARCH_ARM;
  for (const SeccompRule& rule : spec.rules)
    for (const std::string& name : rule.names) {
      const int number = ::seccomp_syscall_resolve_name_arch(token, name.c_str());
      if (number >= 0)
        out.newest = std::max(out.newest.value_or(0), static_cast<std::uint32_t>(number));
      if (rule.action == spec.default_action) continue;
      const bool twice =
          std::ranges::any_of(kDirectI386, [&](const Direct& d) { return d.number == number; });
      if (token == SCMP_ARCH_X86 && (number < 0 || twice))
        learn_i386(out.answers, rule, number);
      else if (number >= 0)
        learn(out.answers[static_cast<std::uint32_t>(number)], rule, rule.arguments);
    }
  for (auto& [number, known] : out.answers) known.wide = wide;
  return out;
}

// --- the tree ---------------------------------------------------------------------

struct Range {
  std::uint32_t first;
  Answer known;
};

class Ranges {
 public:
  void add(std::uint32_t first, const Answer& known) {
    if (list_.empty() || !list_.back().known.same_as(known)) list_.push_back({first, known});
  }
  void add(std::uint32_t first, std::uint32_t action) { add(first, Answer{action, {}}); }

  // From `first` on: what the profile says, `otherwise` in between, and the
  // answer to calls newer than all it names.
  void add_architecture(std::uint32_t first, const Architecture& arch, std::uint32_t otherwise,
                        std::uint32_t newer) {
    std::uint32_t next = first;
    for (const auto& [number, known] : arch.answers) {
      if (number > next) add(next, otherwise);
      add(number, known);
      next = number + 1;
    }
    if (arch.newest && *arch.newest >= next) {
      add(next, otherwise);
      next = *arch.newest + 1;
    }
    add(next, arch.newest ? newer : otherwise);
  }

  Code code(std::uint32_t otherwise) const { return tree(0, list_.size(), otherwise); }

 private:
  Code tree(std::size_t from, std::size_t to, std::uint32_t otherwise) const {
    if (to - from == 1) return code_of(list_[from].known, otherwise);
    const std::size_t middle = from + (to - from) / 2;
    return choose(BPF_JGE, list_[middle].first, tree(middle, to, otherwise),
                  tree(from, middle, otherwise));
  }
  std::vector<Range> list_;
};

Code architecture_code(const SeccompSpec& spec, std::uint32_t token, bool with_x32) {
  const std::uint32_t newer = refuses_by_default(spec) ? kEnosys : spec.default_action;
  Ranges ranges;
  ranges.add_architecture(0, learn_architecture(spec, token), spec.default_action, newer);
  if (token == SCMP_ARCH_X86_64) {
    if (with_x32)
      ranges.add_architecture(kX32Bit, learn_architecture(spec, SCMP_ARCH_X32), spec.default_action,
                              newer);
    else
      ranges.add(kX32Bit, SCMP_ACT_KILL_THREAD);  // another architecture, not in the list
    ranges.add(kNoCall, newer);
  }
  Code out = {load(offsetof(seccomp_data, nr))};
  append(out, ranges.code(spec.default_action));
  return out;
}

}  // namespace

bool refuses_by_default(const SeccompSpec& spec) {
  return spec.default_action != SCMP_ACT_ALLOW && spec.default_action != SCMP_ACT_LOG &&
         spec.default_action != kEnosys &&
         (spec.default_action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_TRACE;
}

bool tree_compiler_knows(const std::vector<std::uint32_t>& architectures) {
  constexpr auto kKnown =
      std::to_array<std::uint32_t>({SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32,
                                    SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_RISCV64});
  return std::ranges::all_of(architectures, [&](std::uint32_t arch) {
    return std::ranges::find(kKnown, arch) != kKnown.end();
  });
}

std::vector<sock_filter> compile_tree(const SeccompSpec& spec,
                                      const std::vector<std::uint32_t>& architectures) {
  const bool with_x32 = std::ranges::find(architectures, SCMP_ARCH_X32) != architectures.end();
  Code body = {answer(SCMP_ACT_KILL_THREAD)};  // an architecture that is not in the list
  for (const std::uint32_t arch : std::views::reverse(architectures))  // ours is asked for first
    if (arch != SCMP_ARCH_X32)
      body = choose(BPF_JEQ, arch, architecture_code(spec, arch, with_x32), body);
  Code out = {load(offsetof(seccomp_data, arch))};
  append(out, body);
  return out;
}
