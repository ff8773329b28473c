// SPDX-License-Identifier: Apache-2.0
// The end of a start, and its failures in words; the small protocols of engines.
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "common/json.h"

#include "launch.h"
#include "mount_options.h"

namespace {

using wire::Op;

std::string hint_for(const wire::Step& step, const wire::Packet& packet) {
  if (packet.value == wire::kInsideProc)
    return "its destination leads into /proc by a link of the image";
  if (packet.value == wire::kWrongKind) return "it is not the special file that its name promises";
  if (step.op == Op::MountFs && packet.error == EINVAL)
    return "an option may be unknown to this file system";
  if (step.op == Op::MountFs && packet.error == ENODEV)
    return "the kernel has no file system of this type";
  if (packet.error == ENOSPC && step.op >= Op::AttachRoot && step.op <= Op::ReadonlyRoot)
    return "raise /proc/sys/fs/mount-max";
  if (step.op == Op::Rlimit && packet.error == EPERM)
    return "raising a hard limit needs CAP_SYS_RESOURCE";
  return "";
}

// The words that engines look for.
std::string program_error(const std::string& program, const wire::Packet& packet) {
  const std::string exec = "exec: \"" + program + "\": ";
  if (packet.value == wire::kNotFoundInPath) return exec + "executable file not found in $PATH";
  if (packet.error == ENOENT) return exec + "stat " + program;
  if (packet.error == EISDIR) return exec + "is a directory: permission denied";
  if (packet.error == EACCES) return exec + "permission denied";
  return "exec " + program;
}

// Lower case "no such file or directory" is what engines match.
std::string lower_errno(int code) {
  const char* text = ::strerrordesc_np(code);
  std::string out = text == nullptr ? "unknown error" : text;
  if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z')
    out[0] = static_cast<char>(out[0] - 'A' + 'a');
  return out;
}

// Which word of the options it was. A flag that the file system refuses is one
// that it does not know.
Error option_error(const Plan& plan, const PlannedStep& step, const wire::Packet& packet) {
  const std::vector<MountWord> words = decode_words(plan, step.step.text[3]);
  const auto entry = static_cast<std::size_t>(packet.value - wire::kOptionRefused);
  Error error{describe_step(plan, step), packet.error, hint_for(step.step, packet), step.field};
  if (entry >= words.size()) return error;
  const MountWord& word = words[entry];
  if (word.option >= 0) error.field += "/options/" + std::to_string(word.option);
  const bool unknown = word.text.find('=') == std::string::npos && packet.error == EINVAL;
  error.what = "config.json: " + error.field + ": " +
               (unknown ? unknown_option(word.text) : "option '" + word.text + "' is refused") +
               " (" + error.what + ")";
  error.hint.clear();
  return error;
}

Error hook_error(const Plan& plan, const PlannedStep& step, const wire::Packet& packet) {
  Error error{describe_step(plan, step)};
  if (packet.value == wire::kHookTimeout) {
    error.what += ": no end after its time limit";
    error.code = ETIMEDOUT;
  } else {
    error.what += ": exit status " + std::to_string(exit_code(packet.error));
  }
  return error;
}

}  // namespace

Error step_error(const Plan& plan, const wire::Packet& packet) {
  if (packet.step >= plan.steps.size()) return Error{"init failed", packet.error};
  const PlannedStep& step = plan.steps[packet.step];
  const Op op = step.step.op;
  if (op == Op::MountFs && packet.value >= wire::kOptionRefused) {
    Error refused = option_error(plan, step, packet);
    refused.step = step_name(op);
    return std::move(refused).in("unable to start container process");
  }
  Error error{describe_step(plan, step), packet.error, hint_for(step.step, packet)};
  if (op == Op::FindProgram || op == Op::Execute) {
    error.what = program_error(plan.program(), packet);
    if (packet.error == ENOENT && packet.value != wire::kNotFoundInPath)
      error.what += ": " + lower_errno(packet.error);
    if (packet.error == EISDIR) error.code = EACCES;
  } else if (packet.value == wire::kOutsideRoot) {
    error.what +=
        ": current working directory is outside of container mount namespace root -- possible "
        "container breakout detected";
  } else if (op == Op::Hook &&
             (packet.value == wire::kHookStatus || packet.value == wire::kHookTimeout)) {
    error = hook_error(plan, step, packet);
  }
  if (!step.field.empty()) error.what += " (config.json: " + step.field + ")";
  error.field = step.field;
  error.step = step_name(op);
  return std::move(error).in("unable to start container process");
}

namespace {

// The descriptor of the filter goes to whoever listens, with the state beside it.
Result<void> pass_listener(Init& init, int number, const SeccompProgram& program,
                           const Record& record) {
  const UniqueFd descriptor(
      static_cast<int>(::syscall(SYS_pidfd_getfd, init.child().pidfd().get(), number, 0)));
  if (!descriptor) return errno_error("fetch", "seccomp listener").at_field("/linux/seccomp");
  JsonWriter json;
  json.begin_object();
  json.member("ociVersion", record.oci_version);
  json.key("fds").begin_array().value("seccompFd").end_array();
  json.member("pid", record.pid);
  if (!program.listener_metadata.empty()) json.member("metadata", program.listener_metadata);
  json.key("state").raw(to_json(oci_state(record, Status::Creating)));
  json.end_object();
  auto socket = connect_stream(program.listener_path);
  if (!socket) return std::move(socket).error().at_field("/linux/seccomp/listenerPath");
  return send_descriptor(*socket, descriptor, json.take());
}

}  // namespace

Result<void> finish_start(Init& init, const SeccompProgram* program, const Record& record,
                          const std::function<Error(const wire::Packet&)>& tell_why) {
  for (;;) {
    const auto packet = TRY(init.hear());
    if (!packet) return {};  // execve has closed its end
    if (packet->msg == wire::Msg::Failed) return tell_why(*packet);
    if (packet->msg != wire::Msg::Listener || program == nullptr)
      return Error{"init said something unexpected", EPROTO};
    TRY(pass_listener(init, packet->value, *program, record));
    TRY(init.tell(wire::Msg::Go));
  }
}

unsigned listen_fds() {
  const char* pid = ::getenv("LISTEN_PID");
  const char* count = ::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr || std::to_string(::getpid()) != pid) return 0;
  const long number = std::strtol(count, nullptr, 10);
  return number > 0 && number < 1024 ? static_cast<unsigned>(number) : 0;
}

Result<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), ::free);
  if (!resolved) return errno_error("open", path);
  return std::string(resolved.get());
}

Result<UniqueFd> connect_stream(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // By way of a descriptor when the path is longer than an address may be.
  UniqueFd direct;
  std::string name = path;
  if (name.size() >= sizeof address.sun_path) {
    direct.reset(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!direct) return errno_error("open socket", path);
    name = "/proc/self/fd/" + std::to_string(direct.get());
  }
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("create", "socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("connect to socket", path);
  return fd;
}

Result<void> send_descriptor(FdRef socket, FdRef descriptor, std::string_view text) {
  iovec data = {const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = descriptor.get();
  std::memcpy(CMSG_DATA(header), &number, sizeof number);
  if (::sendmsg(socket.get(), &message, MSG_NOSIGNAL) < 0)
    return errno_error("send a descriptor to", "socket");
  return {};
}

Result<void> write_pid_file(const std::string& path, pid_t pid) {
  // What is no file, /dev/null say, is written to and not replaced.
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return write_file_at(kCwd, path, std::to_string(pid));
  return replace_file(path, std::to_string(pid), 0644);
}
