// SPDX-License-Identifier: Apache-2.0
#include "seccomp_learner.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "seccomp_calls.h"

namespace {

// The kernel may know a longer form of these than our headers do.
class Conversation {
 public:
  Result<void> prepare() {
    seccomp_notif_sizes sizes = {};
    if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
      return errno_error("ask for", "the sizes of seccomp notifications");
    question_.resize(std::max<std::size_t>(sizes.seccomp_notif, sizeof(seccomp_notif)));
    answer_.resize(std::max<std::size_t>(sizes.seccomp_notif_resp, sizeof(seccomp_notif_resp)));
    return {};
  }

  // Nothing when the process that asked has gone meanwhile.
  const seccomp_notif* receive(FdRef listener) {
    std::ranges::fill(question_, '\0');
    if (::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, question_.data()) != 0) return nullptr;
    return reinterpret_cast<const seccomp_notif*>(question_.data());
  }

  void let_go_on(FdRef listener, std::uint64_t id) {
    std::ranges::fill(answer_, '\0');
    auto* answer = reinterpret_cast<seccomp_notif_resp*>(answer_.data());
    answer->id = id;
    answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    // ENOENT: a signal has taken the process out of the call; it will ask again.
    (void)::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, answer_.data());
  }

 private:
  std::vector<char> question_;
  std::vector<char> answer_;
};

// The descriptor that a runtime sends; the text beside it tells nothing that we need.
UniqueFd receive_listener(FdRef socket) {
  std::array<char, 65536> text;  // NOLINT(cppcoreguidelines-pro-type-member-init): recvmsg fills it
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
  iovec part = {text.data(), text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC) < 0) return UniqueFd();
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return UniqueFd();
  int number = -1;
  std::memcpy(&number, CMSG_DATA(header), sizeof number);
  return UniqueFd(number);
}

class Learner {
 public:
  Learner(FdRef listener, UniqueFd container, const Profile* audited)
      : listener_(listener), container_(std::move(container)), audited_(audited) {}

  Result<Lesson> run() {
    TRY(talk_.prepare());
    while (container_ || !filters_.empty()) TRY(turn());
    return std::move(lesson_);
  }

 private:
  Result<void> turn() {
    std::vector<pollfd> fds = {{listener_.get(), POLLIN, 0}, {container_.get(), POLLIN, 0}};
    for (const UniqueFd& filter : filters_) fds.push_back({filter.get(), POLLIN, 0});
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
      return errno_error("poll", "seccomp listeners");
    for (std::size_t i = filters_.size(); i-- > 0;) {
      const short events = fds[i + 2].revents;
      if ((events & POLLIN) != 0)
        hear(filters_[i]);
      else if (events != 0)  // no process has this filter any more
        filters_.erase(filters_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (fds[0].revents != 0) accept();
    if (fds[1].revents != 0) container_.reset();
    return {};
  }

  void accept() {
    const UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    if (UniqueFd filter = receive_listener(socket)) filters_.push_back(std::move(filter));
  }

  void hear(FdRef filter) {
    const seccomp_notif* question = talk_.receive(filter);
    if (question == nullptr) return;
    const std::uint32_t architecture = question->data.arch;
    const std::string& name = names_.find(architecture, question->data.nr);
    if (!name.empty()) {
      CallArguments arguments = {};
      std::ranges::copy(question->data.args, arguments.begin());
      if (noted_.insert({architecture, question->data.nr}).second || kept_argument(name))
        (void)lesson_.learnt.add(architecture_name(architecture), name, arguments);
      if (audited_ != nullptr && !audited_->allows(name, arguments)) ++lesson_.denied[name];
    }
    ++lesson_.asked;
    talk_.let_go_on(filter, question->id);
  }

  FdRef listener_;
  UniqueFd container_;
  const Profile* audited_;
  std::vector<UniqueFd> filters_ = {};
  std::set<std::pair<std::uint32_t, int>> noted_ = {};  // calls noted without an argument
  Conversation talk_ = {};
  CallNames names_ = {};
  Lesson lesson_ = {};
};

}  // namespace

Result<UniqueFd> listen_for_runtime(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error{"socket '" + path + "'", ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 16) != 0)
    return errno_error("listen on", path);
  return fd;
}

Result<Lesson> learn(FdRef listener, pid_t container, const Profile* audited) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, container, 0)));
  if (!pidfd) return errno_error("watch process", std::to_string(container));
  return Learner(listener, std::move(pidfd), audited).run();
}
