// SPDX-License-Identifier: Apache-2.0
// result.h - the error that carries context to the user, and Result<T>.
//
// An Error answers: what failed, on which object, why (errno), which field of
// which document asked for it, and, when we know it, what to do. It is made
// where the failure happens, prefixed with context on its way up, and printed
// once, by main.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

struct [[nodiscard]] Error {
  std::string what;        // "mount 'proc' on '/proc'"
  int code = 0;            // errno, or 0 when no system call was involved
  std::string hint = {};   // one imperative sentence, or empty
  std::string field = {};  // JSON pointer of the field that asked for it, or empty
  std::string step = {};   // the step of a plan that failed ("mount"), or empty

  // Adds the outer activity: "create web: " + "mount 'proc' on '/proc'".
  Error in(std::string_view doing) &&;
  Error with_hint(std::string_view text) &&;
  Error at_field(std::string_view pointer) &&;  // keeps a field that is already known
  std::string text() const;                     // the one place that knows the output format
};

// Takes errno at once, before anything can change it: "<op> '<object>'".
Error errno_error(std::string_view op, std::string_view object, std::string_view hint = {});

// "ENOENT" for 2; "?" for a number that the C library has no name for.
std::string_view errno_name(int code);

template <class T>
class [[nodiscard]] Result {
 public:
  // NOLINTBEGIN(google-explicit-constructor): so that `return fd;` and `return error;` read plainly
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }
  const Error& error() const& { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): as above
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const noexcept { return !error_; }
  void operator*() const noexcept {}
  Error&& error() && { return std::move(*error_); }
  const Error& error() const& { return *error_; }

 private:
  std::optional<Error> error_;
};

// The only function-like macro of the tree: unwrap the value or return the error.
//   UniqueFd root = TRY(open_directory(path));
#define TRY(...)                            \
  __extension__({                           \
    auto try_result = (__VA_ARGS__);        \
    if (!try_result) [[unlikely]]           \
      return std::move(try_result).error(); \
    *std::move(try_result);                 \
  })
