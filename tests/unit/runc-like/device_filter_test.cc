// SPDX-License-Identifier: Apache-2.0
#include "device_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace {

struct Access {
  char type;
  unsigned major;
  unsigned minor;
  unsigned wanted;
};

// Runs a program as the kernel would, for the few instructions that ours uses.
class Machine {
 public:
  explicit Machine(const Access& access)
      : context_{
            (access.wanted << 16) | (access.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
            access.major, access.minor} {}

  bool run(const std::vector<bpf_insn>& program) {
    for (std::size_t at = 0; at < program.size(); ++at) {
      const bpf_insn& i = program[at];
      if (i.code == (BPF_JMP | BPF_EXIT)) return reg_[0] != 0;
      if (i.code == (BPF_LDX | BPF_MEM | BPF_W))
        reg_[i.dst_reg] = load(i.off);
      else if (BPF_CLASS(i.code) == BPF_JMP32)
        at += jumps(i) ? static_cast<std::size_t>(i.off) : 0;
      else
        compute(i);
    }
    ADD_FAILURE() << "the program has no end";
    return false;
  }

 private:
  std::uint32_t load(int offset) const {
    return std::array{context_.access_type, context_.major,
                      context_.minor}[static_cast<std::size_t>(offset) / 4];
  }
  bool jumps(const bpf_insn& i) const {
    const bool equal = reg_[i.dst_reg] == static_cast<std::uint32_t>(i.imm);
    return BPF_OP(i.code) == BPF_JEQ ? equal : !equal;
  }
  void compute(const bpf_insn& i) {
    const std::uint32_t value =
        BPF_SRC(i.code) == BPF_X ? reg_[i.src_reg] : static_cast<std::uint32_t>(i.imm);
    std::uint32_t& to = reg_[i.dst_reg];
    const int op = BPF_OP(i.code);
    ASSERT_TRUE(op == BPF_MOV || op == BPF_AND || op == BPF_RSH) << "unknown instruction";
    to = op == BPF_MOV ? value : op == BPF_AND ? to & value : to >> value;
  }

  bpf_cgroup_dev_ctx context_;
  std::array<std::uint32_t, 11> reg_ = {};
};

constexpr unsigned kR = DeviceRule::kRead;
constexpr unsigned kW = DeviceRule::kWrite;
constexpr unsigned kM = DeviceRule::kMknod;

bool allows(const std::vector<DeviceRule>& rules, const Access& access) {
  return Machine(access).run(compile_device_filter(rules));
}

const DeviceRule kDenyAll{false};
const DeviceRule kAllowAll{true};

TEST(DeviceFilter, DeniesWhatNoRuleNames) {
  EXPECT_FALSE(allows({}, {'c', 1, 3, kR}));
  EXPECT_FALSE(allows({{true, 'c', 1, 3}}, {'c', 1, 5, kR}));
  EXPECT_FALSE(allows({{true, 'c', 1, 3}}, {'b', 1, 3, kR}));
}

TEST(DeviceFilter, TheLastRuleThatMatchesWins) {
  EXPECT_TRUE(allows({kDenyAll, {true, 'c', 1, 3}}, {'c', 1, 3, kR | kW}));
  EXPECT_FALSE(allows({{true, 'c', 1, 3}, kDenyAll}, {'c', 1, 3, kR}));
  EXPECT_FALSE(allows({kAllowAll, {false, 'b', 8, 0}}, {'b', 8, 0, kR}));
  EXPECT_TRUE(allows({kAllowAll, {false, 'b', 8, 0}}, {'b', 8, 1, kR}));
}

TEST(DeviceFilter, DecidesEachKindOfAccessByItself) {
  const std::vector<DeviceRule> rules = {{true, 'c', 10, 200, kR}, {true, 'c', 10, 200, kW}};
  EXPECT_TRUE(allows(rules, {'c', 10, 200, kR | kW}));
  EXPECT_FALSE(allows(rules, {'c', 10, 200, kR | kM}));
  const std::vector<DeviceRule> read_only = {{true, 'b', {}, {}}, {false, 'b', 8, {}, kW | kM}};
  EXPECT_TRUE(allows(read_only, {'b', 8, 3, kR}));
  EXPECT_FALSE(allows(read_only, {'b', 8, 3, kR | kW}));
  EXPECT_TRUE(allows(read_only, {'b', 9, 3, kR | kW}));
}

TEST(DeviceFilter, AWildcardMatchesAnyNumber) {
  EXPECT_TRUE(allows({{true, 'c', 136, {}}}, {'c', 136, 77, kR | kW}));
  EXPECT_TRUE(allows({{true, 'c', {}, 7}}, {'c', 300, 7, kR}));
  EXPECT_TRUE(allows({{true, 'c', 0xfffffffe, 1}}, {'c', 0xfffffffe, 1, kR}));
}

TEST(DeviceFilter, DefaultsGiveWhatEveryContainerNeedsAndNoHostDevice) {
  const auto rules = effective_device_rules({});
  EXPECT_TRUE(allows(rules, {'c', 1, 3, kR | kW}));
  EXPECT_TRUE(allows(rules, {'c', 5, 2, kR | kW}));
  EXPECT_TRUE(allows(rules, {'b', 8, 0, kM}));
  EXPECT_FALSE(allows(rules, {'b', 8, 0, kR}));
  EXPECT_FALSE(allows(rules, {'c', 5, 1, kW})) << "the console of the host";
  EXPECT_FALSE(allows(rules, {'c', 1, 1, kR})) << "/dev/mem";
}

TEST(DeviceFilter, EndsBehindARuleForEverything) {
  // The verifier refuses unreachable instructions.
  const auto program = compile_device_filter(std::vector<DeviceRule>{{true, 'c', 1, 3}, kDenyAll});
  EXPECT_EQ(std::ranges::count(program, BPF_JMP | BPF_EXIT, &bpf_insn::code), 1);
}

std::string lines(const std::vector<DeviceRule>& rules) {
  auto result = device_lines_v1(rules);
  if (!result) return result.error().text();
  std::string out;
  for (const DeviceLine& line : *result) out += (line.allow ? "+" : "-") + line.text + "\n";
  return out;
}

TEST(DeviceLinesV1, StartWithTheDefaultAndNameExceptions) {
  EXPECT_EQ(lines({}), "-a\n");
  EXPECT_EQ(lines({kDenyAll, {true, 'c', 1, 3}, {true, 'c', 136, {}, kR | kW}}),
            "-a\n+c 1:3 rwm\n+c 136:* rw\n");
  EXPECT_EQ(lines({kAllowAll, {false, 'b', 8, 0, kW}}), "+a\n-b 8:0 w\n");
}

TEST(DeviceLinesV1, JoinRulesForOneDevice) {
  EXPECT_EQ(lines({{true, 'c', 1, 3, kR}, {true, 'c', 1, 3, kW}}), "-a\n+c 1:3 rw\n");
}

TEST(DeviceLinesV1, DropWhatALaterRuleTakesBack) {
  EXPECT_EQ(lines({{true, 'c', 1, 3}, {true, 'c', 1, 5}, {false, 'c', 1, {}, kW}}),
            "-a\n+c 1:3 rm\n+c 1:5 rm\n");
  EXPECT_EQ(lines({{true, 'c', 1, 3}, kDenyAll}), "-a\n");
}

TEST(DeviceLinesV1, SpellOutAPartialRuleForAllDevices) {
  EXPECT_EQ(lines({{true, 'a', {}, {}, kM}}), "-a\n+b *:* m\n+c *:* m\n");
}

TEST(DeviceLinesV1, RefuseAHoleInAWiderRule) {
  DeviceRule hole{false, 'c', 1, 3};
  hole.field = "/linux/resources/devices/1";
  auto result = device_lines_v1(std::vector<DeviceRule>{{true, 'c', 1, {}}, hole});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().field, "/linux/resources/devices/1");
}

}  // namespace
