// SPDX-License-Identifier: Apache-2.0
#include "common/result.h"

#include <cerrno>
#include <cstring>

Error Error::in(std::string_view doing) && {
  what.insert(0, ": ").insert(0, doing);
  return std::move(*this);
}

Error Error::with_hint(std::string_view text) && {
  hint = text;
  return std::move(*this);
}

Error Error::at_field(std::string_view pointer) && {
  if (field.empty()) field = pointer;
  return std::move(*this);
}

std::string Error::text() const {
  std::string out = what;
  if (code != 0) {
    const char* description = ::strerrordesc_np(code);
    out.append(": ").append(description ? description : "unknown error");
    out.append(" (").append(errno_name(code)).append(")");
  }
  if (!hint.empty()) out.append("; hint: ").append(hint);
  return out;
}

Error errno_error(std::string_view op, std::string_view object, std::string_view hint) {
  const int saved = errno;
  return Error{std::string(op).append(" '").append(object).append("'"), saved, std::string(hint)};
}

std::string_view errno_name(int code) {
  const char* name = ::strerrorname_np(code);
  return name ? name : "?";
}
