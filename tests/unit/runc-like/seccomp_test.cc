// SPDX-License-Identifier: Apache-2.0
// Filters are run by a small interpreter of classic BPF, so that what a profile
// means is tested, not how it is written.
#include "seccomp.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>
#include <memory>

#include "common/temp_dir.h"

#include "seccomp_tree.h"

namespace {

constexpr std::uint32_t kAllow = SCMP_ACT_ALLOW;

std::uint32_t run(const std::vector<sock_filter>& filter, const seccomp_data& data) {
  std::array<unsigned char, sizeof data> bytes = {};
  std::memcpy(bytes.data(), &data, sizeof data);
  std::uint32_t a = 0;
  std::uint32_t memory[BPF_MEMWORDS] = {};
  for (std::size_t at = 0; at < filter.size(); ++at) {
    const sock_filter& i = filter[at];
    const auto choose = [&](bool truth) { at += truth ? i.jt : i.jf; };
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, bytes.data() + i.k, sizeof a);
        break;
      case BPF_LD | BPF_MEM:
        a = memory[i.k];
        break;
      case BPF_ST:
        memory[i.k] = a;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i.k;
        break;
      case BPF_JMP | BPF_JA:
        at += i.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        choose(a == i.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        choose(a > i.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        choose(a >= i.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        choose((a & i.k) != 0);
        break;
      case BPF_RET | BPF_K:
        return i.k;
      default:
        ADD_FAILURE() << "unknown instruction " << i.code;
        return 0;
    }
  }
  ADD_FAILURE() << "the filter has no end";
  return 0;
}

Result<SeccompSpec> parse(std::string_view json) {
  auto document = JsonDocument::parse("config.json", json);
  if (!document) return std::move(document).error();
  return parse_seccomp(document->root());
}

std::string complaint(std::string_view json) {
  const auto spec = parse(json);
  if (!spec) return spec.error().text();
  const auto program = compile_seccomp(*spec, "");
  return program ? "" : program.error().text();
}

class Profile {
 public:
  explicit Profile(std::string_view json) {
    const auto spec = parse(json);
    EXPECT_TRUE(spec) << (spec ? "" : spec.error().text());
    auto program = compile_seccomp(*spec, "");
    EXPECT_TRUE(program) << (program ? "" : program.error().text());
    program_ = *std::move(program);
  }
  const SeccompProgram& program() const { return program_; }
  std::uint32_t answer(int number, std::array<std::uint64_t, 6> arguments = {},
                       std::uint32_t arch = AUDIT_ARCH_X86_64) const {
    seccomp_data data = {};
    data.nr = number;
    data.arch = arch;
    std::copy(arguments.begin(), arguments.end(), data.args);
    return run(program_.filter, data);
  }

 private:
  SeccompProgram program_;
};

TEST(Seccomp, AllowsWhatIsNamedAndRefusesTheRest) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["read","getpid","openat"],"action":"SCMP_ACT_ALLOW"}]})");
  EXPECT_EQ(p.answer(SYS_read), kAllow);
  EXPECT_EQ(p.answer(SYS_openat), kAllow);
  EXPECT_EQ(p.answer(SYS_write), SCMP_ACT_ERRNO(EPERM));
}

TEST(Seccomp, KnowsEveryActionAndItsErrno) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
      {"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":38},
      {"names":["write"],"action":"SCMP_ACT_KILL"},
      {"names":["open"],"action":"SCMP_ACT_KILL_PROCESS"},
      {"names":["close"],"action":"SCMP_ACT_TRAP"},
      {"names":["stat"],"action":"SCMP_ACT_TRACE","errnoRet":7},
      {"names":["fstat"],"action":"SCMP_ACT_LOG"},
      {"names":["lstat"],"action":"SCMP_ACT_KILL_THREAD"}]})");
  EXPECT_EQ(p.answer(SYS_read), SCMP_ACT_ERRNO(38));
  EXPECT_EQ(p.answer(SYS_write), SCMP_ACT_KILL_THREAD);
  EXPECT_EQ(p.answer(SYS_open), SCMP_ACT_KILL_PROCESS);
  EXPECT_EQ(p.answer(SYS_close), SCMP_ACT_TRAP);
  EXPECT_EQ(p.answer(SYS_stat), SCMP_ACT_TRACE(7));
  EXPECT_EQ(p.answer(SYS_fstat), SCMP_ACT_LOG);
  EXPECT_EQ(p.answer(SYS_lstat), SCMP_ACT_KILL_THREAD);
  EXPECT_EQ(p.answer(SYS_getpid), kAllow);
}

TEST(Seccomp, AnswersOtherArchitecturesOnlyWhenTheyAreNamed) {
  const std::string rest = R"("defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":44,"syscalls":[
      {"names":["read","mkdir"],"action":"SCMP_ACT_ALLOW"}]})";
  const Profile both(R"({"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],)" + rest);
  const Profile one("{" + rest);
  constexpr int kRead32 = 3;
  EXPECT_EQ(both.answer(kRead32, {}, AUDIT_ARCH_I386), kAllow);
  EXPECT_NE(one.answer(kRead32, {}, AUDIT_ARCH_I386), kAllow);
  EXPECT_EQ(both.answer(SYS_write), SCMP_ACT_ERRNO(44));
}

TEST(Seccomp, HandsFlagsAndListenerOn) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ALLOW",
      "flags":["SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
      "listenerPath":"/run/listener","listenerMetadata":"whose",
      "syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]})");
  EXPECT_EQ(p.program().flags & 6U, 6U) << "LOG and SPEC_ALLOW";
  EXPECT_EQ(Profile(R"({"defaultAction":"SCMP_ACT_ALLOW"})").program().flags, 0U);
  EXPECT_TRUE(p.program().notify);
  EXPECT_EQ(p.program().listener_path, "/run/listener");
  EXPECT_EQ(p.program().listener_metadata, "whose");
}

TEST(Seccomp, ComparesArgumentsInAllTheir64Bits) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":8589934592,"op":"SCMP_CMP_EQ"}]},
      {"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]},
      {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":40,"op":"SCMP_CMP_NE"}]},
      {"names":["kill"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":5,"op":"SCMP_CMP_GE"},{"index":1,"value":9,"op":"SCMP_CMP_LT"}]}]})");
  EXPECT_EQ(p.answer(SYS_personality, {8589934592}), kAllow);
  EXPECT_EQ(p.answer(SYS_personality, {0}), SCMP_ACT_ERRNO(EPERM));
  EXPECT_EQ(p.answer(SYS_clone, {0x11}), kAllow);
  EXPECT_EQ(p.answer(SYS_clone, {0x10000000}), SCMP_ACT_ERRNO(EPERM)) << "CLONE_NEWUSER";
  EXPECT_EQ(p.answer(SYS_socket, {40}), SCMP_ACT_ERRNO(EPERM));
  EXPECT_EQ(p.answer(SYS_socket, {2}), kAllow);
  EXPECT_EQ(p.answer(SYS_kill, {5, 8}), kAllow);
  EXPECT_EQ(p.answer(SYS_kill, {5, 9}), SCMP_ACT_ERRNO(EPERM)) << "both must hold";
  EXPECT_EQ(p.answer(SYS_kill, {4, 8}), SCMP_ACT_ERRNO(EPERM));
}

TEST(Seccomp, TakesConditionsOnOneArgumentAsAlternatives) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":0,"op":"SCMP_CMP_EQ"},{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]}]})");
  EXPECT_EQ(p.answer(SYS_personality, {0}), kAllow);
  EXPECT_EQ(p.answer(SYS_personality, {8}), kAllow);
  EXPECT_EQ(p.answer(SYS_personality, {4}), SCMP_ACT_ERRNO(EPERM));
}

TEST(Seccomp, AnswersEnosysToCallsNewerThanTheProfile) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["read","faccessat2"],"action":"SCMP_ACT_ALLOW"}]})");
  EXPECT_EQ(p.answer(SYS_faccessat2), kAllow);
  EXPECT_EQ(p.answer(SYS_faccessat2 + 1), SCMP_ACT_ERRNO(ENOSYS));
  EXPECT_EQ(p.answer(900), SCMP_ACT_ERRNO(ENOSYS));
  EXPECT_EQ(p.answer(SYS_write), SCMP_ACT_ERRNO(EPERM)) << "older: refused on purpose";
}

TEST(Seccomp, LeavesNewerCallsAloneWhereTheyAreAllowed) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
      {"names":["read"],"action":"SCMP_ACT_ERRNO"}]})");
  EXPECT_EQ(p.answer(900), kAllow);
}

TEST(Seccomp, ConfinesEveryArchitectureOfTheMachine) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ERRNO",
      "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
      "syscalls":[{"names":["read","faccessat2"],"action":"SCMP_ACT_ALLOW"}]})");
  constexpr int kX32 = 0x40000000;
  EXPECT_EQ(p.answer(SYS_read), kAllow);
  EXPECT_EQ(p.answer(3, {}, AUDIT_ARCH_I386), kAllow) << "read on i386";
  EXPECT_EQ(p.answer(0, {}, AUDIT_ARCH_I386), SCMP_ACT_ERRNO(EPERM));
  EXPECT_EQ(p.answer(900, {}, AUDIT_ARCH_I386), SCMP_ACT_ERRNO(ENOSYS));
  EXPECT_EQ(p.answer(kX32 | SYS_read), kAllow);
  EXPECT_EQ(p.answer(kX32 | SYS_write), SCMP_ACT_ERRNO(EPERM));
  EXPECT_EQ(p.answer(kX32 | 900), SCMP_ACT_ERRNO(ENOSYS));
  EXPECT_EQ(p.answer(SYS_read, {}, AUDIT_ARCH_AARCH64), SCMP_ACT_KILL_THREAD);
}

TEST(Seccomp, GivesX32NoWayAroundAProfileWithoutIt) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],
      "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]})");
  EXPECT_NE(p.answer(0x40000000 | SYS_read), kAllow);
  EXPECT_NE(p.answer(3, {}, AUDIT_ARCH_I386), kAllow);
}

TEST(Seccomp, SkipsUnknownNamesWithAWarning) {
  const Profile p(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["read","frobnicate"],"action":"SCMP_ACT_ALLOW"}]})");
  EXPECT_EQ(p.answer(SYS_read), kAllow);
  ASSERT_EQ(p.program().warnings.size(), 1U);
  EXPECT_EQ(p.program().warnings[0], "/syscalls/0: unknown system call 'frobnicate'");
}

TEST(Seccomp, SetsTheFlagsThatMeanSomething) {
  const Profile plain(R"({"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_TSYNC",
      "SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]})");
  EXPECT_EQ(plain.program().flags, SECCOMP_FILTER_FLAG_LOG);
  const Profile notify(R"({"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/s",
      "flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
      "syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]})");
  EXPECT_EQ(notify.program().flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | 1U << 5);
  EXPECT_TRUE(notify.program().notify);
  EXPECT_EQ(notify.program().listener_path, "/run/s");
  EXPECT_EQ(notify.answer(SYS_mkdir), SCMP_ACT_NOTIFY);
}

TEST(Seccomp, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(complaint("{}"), "config.json: /defaultAction: missing");
  EXPECT_EQ(complaint(R"({"defaultAction":"ALLOW"})"),
            "config.json: /defaultAction: unknown action 'ALLOW'");
  EXPECT_EQ(complaint(R"({"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1})"),
            "config.json: /defaultErrnoRet: has no meaning with SCMP_ACT_ALLOW");
  EXPECT_EQ(complaint(R"({"defaultAction":"SCMP_ACT_NOTIFY"})"),
            "config.json: /defaultAction: SCMP_ACT_NOTIFY cannot be the default action");
  EXPECT_EQ(complaint(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                {"names":["write"],"action":"SCMP_ACT_NOTIFY"}]})"),
            "config.json: /syscalls/0/names: SCMP_ACT_NOTIFY cannot be used for the write syscall");
  EXPECT_EQ(complaint(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_Z80"]})"),
            "config.json: /architectures/0: unknown architecture 'SCMP_ARCH_Z80'");
  EXPECT_EQ(complaint(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],
                "action":"SCMP_ACT_LOG","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]})"),
            "config.json: /syscalls/0/args/0/index: a system call has the arguments 0 to 5");
  EXPECT_EQ(complaint(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                {"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]})"),
            "SCMP_ACT_NOTIFY needs a listenerPath");
}

// The oracle: what libseccomp writes must answer the same, for every number of
// every architecture and arguments around the borders of the conditions.
std::uint32_t ask(const std::vector<sock_filter>& filter, std::uint32_t arch, std::uint32_t number,
                  const std::array<std::uint64_t, 6>& arguments) {
  seccomp_data data = {};
  data.nr = static_cast<int>(number);
  data.arch = arch;
  std::copy(arguments.begin(), arguments.end(), data.args);
  return run(filter, data);
}

void compare_with_libseccomp(std::string_view json) {
  const auto spec = parse(json);
  ASSERT_TRUE(spec) << spec.error().text();
  const auto ours = compile_seccomp(*spec, "");
  const auto theirs = compile_with_libseccomp(*spec);
  ASSERT_TRUE(ours && theirs);
  const std::vector<std::array<std::uint64_t, 6>> samples = {{},
                                                             {1},
                                                             {5},
                                                             {8},
                                                             {9},
                                                             {16, 3, 9},
                                                             {40},
                                                             {0x20008},
                                                             {0x100000005},
                                                             {5, 8},
                                                             {5, 9},
                                                             {4, 8, 1},
                                                             {0x7e020000},
                                                             {0x10000000, 1, 2},
                                                             {~0ULL, ~0ULL, ~0ULL},
                                                             {0xffffffff, 7},
                                                             {2, 0, 9}};
  for (const std::uint32_t arch :
       std::to_array<std::uint32_t>({AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64}))
    for (const std::uint32_t base : {0U, 0x40000000U})
      for (std::uint32_t number = 0; number < 480; ++number)
        for (const auto& sample : samples) {
          // A 32-bit program has 32-bit arguments.
          std::array<std::uint64_t, 6> arguments = sample;
          if (arch == AUDIT_ARCH_I386)
            for (std::uint64_t& a : arguments) a &= 0xffffffff;
          ASSERT_EQ(ask(ours->filter, arch, base | number, arguments),
                    ask(*theirs, arch, base | number, arguments))
              << "arch " << arch << " call " << (base | number) << " argument " << arguments[0];
        }
}

TEST(SeccompOracle, AgreesOnConditions) {
  for (const char* op : {"EQ", "NE", "GT", "GE", "LT", "LE"})
    compare_with_libseccomp(std::string(R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":
        ["SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[{"names":["kill","socket","personality"],
        "action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":5,"op":"SCMP_CMP_)") +
                            op + R"("}]},{"names":["prctl"],"action":"SCMP_ACT_TRAP","args":[
        {"index":0,"value":4294967301,"op":"SCMP_CMP_)" +
                            op + R"("}]},
        {"names":["faccessat2"],"action":"SCMP_ACT_ALLOW"}]})");
}

TEST(SeccompOracle, AgreesOnAProfileLikeThoseOfEngines) {
  compare_with_libseccomp(R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
      "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[
      {"names":["bdflush","io_pgetevents","kexec_load","mount","umount","setns"],
       "action":"SCMP_ACT_ERRNO","errnoRet":1},
      {"names":["_llseek","accept","accept4","access","bind","brk","capget","capset","clone3",
        "close","connect","dup","epoll_wait","execve","exit","futex","getpid","getsockopt","ipc",
        "listen","mmap","mmap2","msgget","openat","read","recvmsg","send","sendmsg","shmat",
        "socketcall","socketpair","stat","stat64","write","writev","futex_waitv"],
       "action":"SCMP_ACT_ALLOW"},
      {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":0,"op":"SCMP_CMP_EQ"}]},
      {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":131080,"op":"SCMP_CMP_EQ"}]},
      {"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":0,"value":2114060288,"op":"SCMP_CMP_MASKED_EQ"}]},
      {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[
        {"index":2,"value":9,"op":"SCMP_CMP_NE"}]}]})");
}

TEST(SeccompOracle, AgreesOnADefaultThatAllows) {
  compare_with_libseccomp(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],
      "syscalls":[{"names":["mkdir","bind","semget"],"action":"SCMP_ACT_KILL_PROCESS"},
      {"names":["kill"],"action":"SCMP_ACT_ERRNO","args":[
        {"index":0,"value":5,"op":"SCMP_CMP_EQ"},{"index":1,"value":8,"op":"SCMP_CMP_EQ"}]}]})");
}

class SeccompCached : public testing::Test {
 protected:
  SeccompCached() : dir_(*TempDir::create("/tmp", "seccomp-test-")), cache_(dir_.path() + "/a/c") {}
  SeccompProgram compile(std::string_view json) {
    const auto spec = parse(json);
    EXPECT_TRUE(spec);
    auto program = compile_seccomp(*spec, cache_);
    EXPECT_TRUE(program);
    return *std::move(program);
  }
  std::string entry() const {  // the only file of the cache
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(cache_.c_str()), &::closedir);
    while (const dirent* found = ::readdir(dir.get()))
      if (found->d_name[0] != '.') return cache_ + "/" + found->d_name;
    return {};
  }

  TempDir dir_;
  std::string cache_;
  static constexpr std::string_view kA =
      R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]})";
  static constexpr std::string_view kB =
      R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["open"],"action":"SCMP_ACT_ALLOW"}]})";
};

bool same(const SeccompProgram& a, const SeccompProgram& b) {
  return a.filter.size() == b.filter.size() &&
         std::memcmp(a.filter.data(), b.filter.data(), a.filter.size() * sizeof(sock_filter)) == 0;
}

TEST_F(SeccompCached, IsAsGoodAsCompiling) {
  const SeccompProgram first = compile(kA);
  const SeccompProgram second = compile(kA);
  EXPECT_FALSE(first.cached);
  EXPECT_TRUE(second.cached);
  EXPECT_TRUE(same(first, second));
  EXPECT_FALSE(compile(kB).cached);
}

TEST_F(SeccompCached, DoesNotTrustAHashAlone) {
  const SeccompProgram a = compile(kA);
  const std::string place_of_a = entry();
  ASSERT_EQ(::unlink(place_of_a.c_str()), 0);
  (void)compile(kB);
  // As if the text of B had the hash of A.
  ASSERT_EQ(::rename(entry().c_str(), place_of_a.c_str()), 0);
  const SeccompProgram again = compile(kA);
  EXPECT_FALSE(again.cached);
  EXPECT_TRUE(same(again, a));
}

TEST_F(SeccompCached, IgnoresADamagedEntry) {
  const SeccompProgram first = compile(kA);
  ASSERT_EQ(::truncate(entry().c_str(), 100), 0);
  const SeccompProgram second = compile(kA);
  EXPECT_FALSE(second.cached);
  EXPECT_TRUE(same(first, second));
  EXPECT_TRUE(compile(kA).cached) << "repaired";
}

TEST_F(SeccompCached, IgnoresWhatOthersCanWrite) {
  (void)compile(kA);
  ASSERT_EQ(::chmod(entry().c_str(), 0666), 0);
  EXPECT_FALSE(compile(kA).cached);
  (void)compile(kA);
  ASSERT_EQ(::chmod(cache_.c_str(), 0777), 0);
  EXPECT_FALSE(compile(kA).cached);
}

TEST(SeccompNames, ListWhatIsUnderstood) {
  EXPECT_EQ(seccomp_action_names().size(), 9U);
  EXPECT_EQ(seccomp_operator_names().size(), 7U);
  EXPECT_EQ(seccomp_flag_names().size(), 4U);
  EXPECT_FALSE(seccomp_architecture_names().empty());
}

}  // namespace
