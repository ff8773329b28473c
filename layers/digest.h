// SPDX-License-Identifier: Apache-2.0
// digest.h - the name of a blob is the hash of its bytes, and nothing else.
//
// A Digest exists only for text that the grammar allows, so it may be used as a
// file name: whatever else an index or a manifest claims never becomes a path.
#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/result.h"

struct evp_md_ctx_st;  // libcrypto's EVP_MD_CTX

class Digest {
 public:
  // "sha256:" and 64 lower-case hexadecimal digits.
  static Result<Digest> parse(std::string_view text);

  const std::string& hex() const { return hex_; }
  std::string text() const { return "sha256:" + hex_; }
  std::string short_hex() const { return hex_.substr(0, 12); }
  auto operator<=>(const Digest&) const = default;

 private:
  friend class Sha256;
  explicit Digest(std::string hex) : hex_(std::move(hex)) {}
  std::string hex_;
};

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void update(const void* data, std::size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  Digest finish();  // once

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest digest_of(std::string_view bytes);
