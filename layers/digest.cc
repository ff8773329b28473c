// SPDX-License-Identifier: Apache-2.0
#include "digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexLength = 64;

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// libcrypto fails here only for want of memory, which ends the program anyway.
void must(int ok) {
  if (ok != 1) std::abort();
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  if (!text.starts_with(kPrefix))
    return Error{"digest '" + std::string(text.substr(0, 80)) + "': only sha256 is supported"};
  const std::string_view hex = text.substr(kPrefix.size());
  if (hex.size() != kHexLength || !std::ranges::all_of(hex, is_lower_hex))
    return Error{"digest '" + std::string(text.substr(0, 80)) +
                 "': expected 64 lower-case hexadecimal digits"};
  return Digest(std::string(hex));
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
  ::EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(::EVP_MD_CTX_new()) {
  must(context_ ? 1 : 0);
  must(::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr));
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(const void* data, std::size_t size) {
  must(::EVP_DigestUpdate(context_.get(), data, size));
}

Digest Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw = {};
  unsigned size = 0;
  must(::EVP_DigestFinal_ex(context_.get(), raw.data(), &size));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(kHexLength);
  for (unsigned i = 0; i < size; ++i) {
    hex += kDigits[raw[i] >> 4U];
    hex += kDigits[raw[i] & 15U];
  }
  return Digest(std::move(hex));
}

Digest digest_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}
