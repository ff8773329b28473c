// SPDX-License-Identifier: Apache-2.0
#include "device_filter.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ranges>

namespace {

// Registers of the program. The kernel hands over a bpf_cgroup_dev_ctx in R1.
enum Register : std::uint8_t { kResult, kContext, kType, kWanted, kMajor, kMinor, kDenied };

// Emits one instruction at a time; a rule's tests jump to the rule after it.
class Assembler {
 public:
  void load(Register to, std::size_t offset) {
    emit(BPF_LDX | BPF_MEM | BPF_W, to, kContext, static_cast<std::int16_t>(offset), 0);
  }
  void move(Register to, Register from) { emit(BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0); }
  void alu(int op, Register to, unsigned value) {
    emit(BPF_ALU | op | BPF_K, to, 0, 0, static_cast<std::int32_t>(value));
  }
  void skip_rule_unless_equal(Register reg, unsigned value) {
    pending_.push_back(code_.size());
    emit(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, static_cast<std::int32_t>(value));
  }
  void skip_rule_if_zero(Register reg) {
    pending_.push_back(code_.size());
    emit(BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0, 0, 0);
  }
  void skip_rule_if_not_zero(Register reg) { skip_rule_unless_equal(reg, 0); }
  void answer(bool allow) {
    emit(BPF_ALU | BPF_MOV | BPF_K, kResult, 0, 0, allow ? 1 : 0);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }
  void end_rule() {
    for (const std::size_t at : pending_)
      code_[at].off = static_cast<std::int16_t>(code_.size() - at - 1);
    pending_.clear();
  }
  std::vector<bpf_insn> take() { return std::move(code_); }

 private:
  void emit(int code, std::uint8_t to, std::uint8_t from, std::int16_t offset, std::int32_t value) {
    bpf_insn insn = {};
    insn.code = static_cast<std::uint8_t>(code);
    insn.dst_reg = to & 0xf;
    insn.src_reg = from & 0xf;
    insn.off = offset;
    insn.imm = value;
    code_.push_back(insn);
  }
  std::vector<bpf_insn> code_;
  std::vector<std::size_t> pending_;
};

// kWanted holds the kinds of access that no later rule has decided yet. A rule
// that forbids one of them ends it; one that allows takes its kinds off.
void emit_rule(Assembler& out, const DeviceRule& rule) {
  if (rule.type != 'a')
    out.skip_rule_unless_equal(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  if (rule.major) out.skip_rule_unless_equal(kMajor, static_cast<unsigned>(*rule.major));
  if (rule.minor) out.skip_rule_unless_equal(kMinor, static_cast<unsigned>(*rule.minor));
  if (rule.access != DeviceRule::kAll) {
    if (rule.allow) {
      out.alu(BPF_AND, kWanted, ~rule.access);
      out.skip_rule_if_not_zero(kWanted);
    } else {
      out.move(kDenied, kWanted);
      out.alu(BPF_AND, kDenied, rule.access);
      out.skip_rule_if_zero(kDenied);
    }
  }
  out.answer(rule.allow);
  out.end_rule();
}

int bpf(bpf_cmd command, bpf_attr& attr) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attr, sizeof attr));
}

std::uint64_t address(const void* p) {
  return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(p));
}

Result<UniqueFd> load_program(std::span<const bpf_insn> program) {
  bpf_attr attr = {};
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.expected_attach_type = BPF_CGROUP_DEVICE;
  attr.insns = address(program.data());
  attr.insn_cnt = static_cast<std::uint32_t>(program.size());
  attr.license = address("Apache-2.0");
  UniqueFd fd(bpf(BPF_PROG_LOAD, attr));
  if (!fd) return errno_error("load eBPF program", "device filter");
  return fd;
}

// The device programs that the cgroup itself has, not those of its parents.
Result<std::vector<UniqueFd>> attached_programs(FdRef cgroup) {
  std::array<std::uint32_t, 64> ids = {};  // the kernel allows no more on one cgroup
  bpf_attr attr = {};
  attr.query.target_fd = static_cast<std::uint32_t>(cgroup.get());
  attr.query.attach_type = BPF_CGROUP_DEVICE;
  attr.query.prog_ids = address(ids.data());
  attr.query.prog_cnt = static_cast<std::uint32_t>(ids.size());
  if (bpf(BPF_PROG_QUERY, attr) != 0) return errno_error("query eBPF programs of", "cgroup");
  std::vector<UniqueFd> out;
  for (const std::uint32_t id : std::span(ids).first(attr.query.prog_cnt)) {
    bpf_attr get = {};
    get.prog_id = id;
    UniqueFd fd(bpf(BPF_PROG_GET_FD_BY_ID, get));
    if (fd)
      out.push_back(std::move(fd));
    else if (errno != ENOENT)  // it went away meanwhile: as good as replaced
      return errno_error("open eBPF program", std::to_string(id));
  }
  return out;
}

Result<void> attach(FdRef cgroup, FdRef program, FdRef replaced) {
  bpf_attr attr = {};
  attr.target_fd = static_cast<std::uint32_t>(cgroup.get());
  attr.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attr.attach_type = BPF_CGROUP_DEVICE;
  attr.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced.get() >= 0) {
    attr.attach_flags |= BPF_F_REPLACE;
    attr.replace_bpf_fd = static_cast<std::uint32_t>(replaced.get());
  }
  if (bpf(BPF_PROG_ATTACH, attr) != 0) return errno_error("attach eBPF program to", "cgroup");
  return {};
}

Result<void> detach(FdRef cgroup, FdRef program) {
  bpf_attr attr = {};
  attr.target_fd = static_cast<std::uint32_t>(cgroup.get());
  attr.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attr.attach_type = BPF_CGROUP_DEVICE;
  if (bpf(BPF_PROG_DETACH, attr) != 0 && errno != ENOENT)
    return errno_error("detach eBPF program from", "cgroup");
  return {};
}

DeviceRule character(std::optional<std::int64_t> major, std::optional<std::int64_t> minor,
                     unsigned access = DeviceRule::kAll) {
  return {true, 'c', major, minor, access};
}

}  // namespace

std::vector<DeviceRule> default_device_rules() {
  // The node of the host's console (5:1) is not among them: a container's
  // /dev/console is one of its own pseudo-terminals.
  return {character({}, {}, DeviceRule::kMknod),
          {true, 'b', {}, {}, DeviceRule::kMknod},
          character(1, 3),      // null
          character(1, 5),      // zero
          character(1, 7),      // full
          character(1, 8),      // random
          character(1, 9),      // urandom
          character(5, 0),      // tty
          character(5, 2),      // ptmx
          character(136, {})};  // pseudo-terminals
}

std::vector<DeviceRule> effective_device_rules(std::span<const DeviceRule> given) {
  std::vector<DeviceRule> rules(given.begin(), given.end());
  std::ranges::move(default_device_rules(), std::back_inserter(rules));
  return rules;
}

std::vector<bpf_insn> compile_device_filter(std::span<const DeviceRule> rules) {
  Assembler out;
  out.load(kType, offsetof(bpf_cgroup_dev_ctx, access_type));
  out.load(kMajor, offsetof(bpf_cgroup_dev_ctx, major));
  out.load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor));
  out.move(kWanted, kType);
  out.alu(BPF_RSH, kWanted, 16);
  out.alu(BPF_AND, kType, 0xffff);
  for (const DeviceRule& rule : std::views::reverse(rules)) {
    emit_rule(out, rule);
    // Nothing before a rule for every device can be reached, and the verifier
    // refuses a program with unreachable instructions.
    if (rule.type == 'a' && rule.access == DeviceRule::kAll) return out.take();
  }
  out.answer(false);
  return out.take();
}

Result<void> attach_device_filter(FdRef cgroup, std::span<const bpf_insn> program,
                                  DeviceFilterMode mode) {
  const UniqueFd loaded = TRY(load_program(program));
  std::vector<UniqueFd> old;
  if (mode == DeviceFilterMode::Replace) old = TRY(attached_programs(cgroup));
  // One old program is exchanged in one step; with several there is a moment in
  // which the old ones and the new one all must agree: stricter, never laxer.
  if (old.size() == 1) return attach(cgroup, loaded, old[0]);
  TRY(attach(cgroup, loaded, FdRef(-1)));
  for (const UniqueFd& program_fd : old) TRY(detach(cgroup, program_fd));
  return {};
}
