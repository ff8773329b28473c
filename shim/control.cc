// SPDX-License-Identifier: Apache-2.0
#include "control.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace {

constexpr std::size_t kLongestLine = 128;
constexpr int kLargestSide = 1000;

// The next decimal number, after blanks.
std::optional<int> take_number(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() != ' ' && text.front() != '\t') return std::nullopt;
  return number;
}

}  // namespace

std::optional<Order> parse_order(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const auto type = take_number(line);
  const auto height = take_number(line);
  const auto width = take_number(line);
  if (!type || !height || !width || (*type != 1 && *type != 2)) return std::nullopt;
  if (*height < 0 || *width < 0 || *height > kLargestSide || *width > kLargestSide)
    return std::nullopt;
  return Order{static_cast<Order::Kind>(*type), static_cast<unsigned short>(*height),
               static_cast<unsigned short>(*width)};
}

Result<std::unique_ptr<Control>> Control::create(Loop& loop, FdRef directory,
                                                 const std::string& name, std::string prefix,
                                                 std::function<void(const Order&)> obey) {
  if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return errno_error("remove stale", name);
  if (::mkfifoat(directory.get(), name.c_str(), 0640) != 0) return errno_error("create FIFO", name);
  std::unique_ptr<Control> self(new Control(std::move(prefix), std::move(obey)));
  self->fifo_ = TRY(open_at(directory, name, O_RDWR | O_NONBLOCK));
  Control* const it = self.get();
  TRY(loop.watch(it->fifo_, EPOLLIN, [it](std::uint32_t) { it->read_some(); }));
  return self;
}

void Control::read_some() {
  std::array<char, 512> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const ssize_t n = ::read(fifo_.get(), piece.data(), piece.size());
  for (ssize_t i = 0; i < n; ++i) {
    const char c = piece[static_cast<std::size_t>(i)];
    if (c != '\n') {
      skipping_ = skipping_ || line_.size() == kLongestLine;
      if (!skipping_) line_.push_back(c);
      continue;
    }
    const auto order = skipping_ ? std::nullopt : parse_order(prefix_ + line_);
    line_.clear();
    skipping_ = false;
    if (order) obey_(*order);
  }
}
