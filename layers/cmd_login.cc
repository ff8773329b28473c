// SPDX-License-Identifier: Apache-2.0
// cmd_login.cc - login and logout. A password is never an argument: anybody may read those.
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "registry_commands.h"
#include "registry_options.h"

namespace {

// What is typed does not show, and the terminal is as before, whatever happens.
class Silence {
 public:
  explicit Silence(FdRef terminal) : terminal_(terminal) {
    silent_ = ::tcgetattr(terminal.get(), &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent_ = silent_ && ::tcsetattr(terminal.get(), TCSAFLUSH, &silent) == 0;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (silent_) (void)::tcsetattr(terminal_.get(), TCSAFLUSH, &before_);
  }

 private:
  FdRef terminal_;
  termios before_ = {};
  bool silent_ = false;
};

Result<std::string> read_line(FdRef fd) {
  std::string line;
  char c = 0;
  ssize_t n = 0;
  while ((n = ::read(fd.get(), &c, 1)) == 1 && c != '\n' && line.size() < 4096) line += c;
  if (n < 0) return errno_error("read", "terminal");
  if (n == 0 && line.empty()) return Error{"nothing was typed"};
  return line;
}

Result<std::string> ask(const char* question, bool secret) {
  auto terminal = open_at(kCwd, "/dev/tty", O_RDWR);
  if (!terminal)
    return Error{"there is no terminal to ask on", 0, "use --username and --password-stdin"};
  TRY(write_all(*terminal, question, "terminal"));
  if (!secret) return read_line(*terminal);
  const Silence silence(*terminal);
  auto line = read_line(*terminal);
  TRY(write_all(*terminal, "\n", "terminal"));
  return line;
}

Result<std::string> password_of(const Arguments& arguments) {
  if (!arguments.options.flag("password-stdin")) return ask("password: ", true);
  std::string text = TRY(read_all(FdRef(STDIN_FILENO), "standard input", 64U << 10U));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

Result<int> cmd_login(const Arguments& arguments) {
  const RegistryReference registry = TRY(parse_registry_host(arguments.positionals[0]));
  const auto user = arguments.options.value("username");
  Credentials credentials;
  credentials.username = user ? *user : TRY(ask("user name: ", false));
  if (credentials.username.find(':') != std::string::npos || credentials.username.empty())
    return Error{"user name '" + credentials.username + "' is empty or has a colon"};
  credentials.password = TRY(password_of(arguments));
  RegistryOptions options = TRY(registry_options(arguments.options));
  options.auth_file.reset();  // it may be new
  options.credentials = credentials;
  auto connected = TRY(Registry::connect(registry, options));
  TRY(connected->check_login());
  const std::string file = login_file(arguments.options.value("authfile"));
  const std::string key =
      registry.host + (registry.repository.empty() ? "" : "/" + registry.repository);
  TRY(save_credentials(file, key, credentials));
  std::printf("logged in to %s as %s\n", key.c_str(), credentials.username.c_str());
  return 0;
}

Result<int> cmd_logout(const Arguments& arguments) {
  const auto given = arguments.options.value("authfile");
  const bool all = arguments.options.flag("all");
  if (all != arguments.positionals.empty()) return Error{"logout: name a registry, or say --all"};
  std::string wanted;
  if (!all) {
    const RegistryReference registry = TRY(parse_registry_host(arguments.positionals[0]));
    wanted = registry.host + (registry.repository.empty() ? "" : "/" + registry.repository);
  }
  bool found = false;
  for (const std::string& file : authentication_files(given)) {
    std::vector<std::string> keys = {wanted};
    if (all) keys = TRY(saved_registries(file));
    for (const std::string& key : keys) {
      if (!TRY(remove_credentials(file, key))) continue;
      found = true;
      std::printf("logged out of %s\n", key.c_str());
    }
  }
  if (!found && !all) return Error{"not logged in to " + wanted};
  return 0;
}
