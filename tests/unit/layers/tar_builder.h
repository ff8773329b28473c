// SPDX-License-Identifier: Apache-2.0
// tar_builder.h - archives made by hand, also those that no honest tool would write.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct Member {
  std::string name;
  char type = '0';
  std::string data = {};
  std::string link = {};
  unsigned mode = 0644;
  unsigned uid = ::geteuid();
  unsigned gid = ::getegid();
  std::string mtime = "00000000144";  // 100 seconds
  std::string size = {};              // instead of the true one
  unsigned major = 0;
  unsigned minor = 0;
  std::string prefix = {};
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
};

class TarBuilder {
 public:
  TarBuilder& add(const Member& m) {
    std::string block(512, '\0');
    put(block, 0, m.name, 100);
    number(block, 100, m.mode, 8);
    number(block, 108, m.uid, 8);
    number(block, 116, m.gid, 8);
    if (m.size.empty())
      number(block, 124, m.data.size(), 12);
    else
      put(block, 124, m.size, 12);
    put(block, 136, m.mtime, 12);
    block[156] = m.type;
    put(block, 157, m.link, 100);
    put(block, 257, m.magic, 8);
    number(block, 329, m.major, 8);
    number(block, 337, m.minor, 8);
    put(block, 345, m.prefix, 155);
    seal(block);
    text_ += block;
    return raw(m.data);
  }

  TarBuilder& file(const std::string& name, const std::string& data = "x") {
    return add({.name = name, .data = data});
  }
  TarBuilder& directory(const std::string& name, unsigned mode = 0755) {
    return add({.name = name, .type = '5', .mode = mode});
  }
  TarBuilder& symlink(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '2', .link = target, .mode = 0777});
  }
  TarBuilder& hardlink(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '1', .link = target});
  }
  // A pax header for the member that comes next.
  TarBuilder& pax(const std::vector<std::pair<std::string, std::string>>& records,
                  char type = 'x') {
    std::string body;
    for (const auto& [key, value] : records) body += record(key, value);
    return add({.name = "pax", .type = type, .data = body});
  }

  // Bytes as they are, padded to a block.
  TarBuilder& raw(const std::string& bytes) {
    text_ += bytes;
    text_.append((512 - text_.size() % 512) % 512, '\0');
    return *this;
  }
  TarBuilder& block(std::string bytes) {
    bytes.resize(512, '\0');
    text_ += bytes;
    return *this;
  }

  std::string end() const { return text_ + std::string(1024, '\0'); }
  const std::string& open_end() const { return text_; }

  static std::string record(const std::string& key, const std::string& value) {
    const std::string rest = " " + key + "=" + value + "\n";
    std::size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) ++length;
    return std::to_string(length) + rest;
  }

 private:
  static void put(std::string& block, std::size_t at, std::string_view text, std::size_t most) {
    std::memcpy(block.data() + at, text.data(), std::min(most, text.size()));
  }
  static void number(std::string& block, std::size_t at, std::size_t value, std::size_t size) {
    char digits[32];
    (void)std::snprintf(digits, sizeof digits, "%0*zo", static_cast<int>(size) - 1, value);
    put(block, at, digits, size - 1);
  }
  static void seal(std::string& block) {
    std::memset(block.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    char digits[8];
    (void)std::snprintf(digits, sizeof digits, "%06o", sum);
    std::memcpy(block.data() + 148, digits, 7);
  }

  std::string text_;
};
