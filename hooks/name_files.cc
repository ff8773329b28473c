// SPDX-License-Identifier: Apache-2.0
#include "name_files.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace {

constexpr std::string_view kBegin = "# hook-hosts begin\n";
constexpr std::string_view kEnd = "# hook-hosts end\n";
constexpr std::string_view kBase =
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes = {};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

// What would end the line, or begin another name, is no name.
bool is_host_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

// What a member without a name is called: its id, and of an engine's 64 digits the
// twelve that engines show.
std::string called(const NetworkMember& member) {
  if (!member.name.empty()) return member.name;
  return member.id.size() == 64 ? member.id.substr(0, 12) : member.id;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = line.find_first_not_of(" \t\r", at);
    if (begin == std::string_view::npos) break;
    at = std::min(line.find_first_of(" \t\r", begin), line.size());
    out.emplace_back(line.substr(begin, at - begin));
  }
  return out;
}

}  // namespace

Result<std::string> hosts_lines(const std::vector<NetworkMember>& members,
                                const std::vector<std::string>& extra) {
  std::string out;
  for (const NetworkMember& member : members) {
    const std::string name = called(member);
    if (!is_host_name(name)) continue;
    for (const std::string& address : member.addresses) {
      out += address + "\t" + name;
      for (const std::string& alias : member.aliases)
        if (is_host_name(alias)) out += " " + alias;
      out += "\n";
    }
  }
  for (const std::string& one : extra) {
    const std::size_t colon = one.find(':');
    const std::string name = one.substr(0, colon);
    const std::string address = colon == std::string::npos ? "" : one.substr(colon + 1);
    if (!is_host_name(name) || !is_address(address))
      return Error{"'" + one + "' is not NAME:ADDRESS"};
    out.append(address).append("\t").append(name).append("\n");
  }
  return out;
}

std::string with_hosts_block(std::string_view text, std::string_view lines) {
  std::string before(text.empty() ? kBase : text);
  std::string after;
  const std::size_t begin = before.find(kBegin);
  if (begin != std::string::npos && (begin == 0 || before[begin - 1] == '\n')) {
    // A block whose end somebody cut off reaches to the end of the file.
    const std::size_t end = before.find(kEnd, begin);
    if (end != std::string::npos) after = before.substr(end + kEnd.size());
    before.resize(begin);
  }
  if (lines.empty()) return before + after;
  if (!before.empty() && before.back() != '\n') before += '\n';
  return before.append(kBegin).append(lines).append(kEnd).append(after);
}

DnsSettings parse_resolv_conf(std::string_view text) {
  DnsSettings out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const auto words = words_of(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (words.size() < 2) continue;
    const std::vector<std::string> values(words.begin() + 1, words.end());
    if (words[0] == "nameserver") out.nameservers.push_back(values[0]);
    if (words[0] == "search" || words[0] == "domain") out.search = values;  // the last counts
    if (words[0] == "options") out.options.insert(out.options.end(), values.begin(), values.end());
  }
  return out;
}

std::string resolv_conf(const DnsSettings& dns) {
  std::string out;
  const auto line = [&](std::string_view keyword, const std::vector<std::string>& values) {
    if (values.empty()) return;
    out += keyword;
    for (const std::string& value : values) out += " " + value;
    out += "\n";
  };
  line("search", dns.search);
  for (const std::string& server : dns.nameservers) out += "nameserver " + server + "\n";
  line("options", dns.options);
  return out;
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}
