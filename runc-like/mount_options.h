// SPDX-License-Identifier: Apache-2.0
// mount_options.h - the words in `options` of a mount, sorted by what they are for,
// and the form in which init gets those that belong to the file system.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan.h"

// A word for the file system: "key" or "key=value". `option` is its place in
// `options`, or -1 when we have added it.
struct MountWord {
  std::string text;
  int option = -1;
};

struct MountOptions {
  std::uint64_t set = 0;  // MOUNT_ATTR_*
  std::uint64_t clear = 0;
  std::uint64_t set_all = 0;
  std::uint64_t clear_all = 0;
  std::vector<std::uint64_t> propagation = {};  // MS_*
  bool bind = false;
  bool remount = false;  // a mount that is there is changed
  bool recursive = false;
  bool copy_up = false;
  bool idmap = false;
  bool idmap_all = false;
  bool follow = true;      // a source that is a link
  bool copy_link = false;  // it is copied instead
  bool at_link = false;    // a destination that is a link is covered itself
  std::vector<MountWord> data = {};
};

MountOptions sort_mount_options(const MountSpec& mount);

// As the kernel's configuration call takes them, see Init::configure; and back.
std::uint32_t encode_words(Plan& plan, const std::vector<MountWord>& words);
std::vector<MountWord> decode_words(const Plan& plan, std::uint32_t offset);

// The same for mount(2): a text, and MS_* for the words that it does not take as text.
struct MountText {
  std::string text;
  std::uint64_t flags = 0;
};
MountText join_words(const std::vector<MountWord>& words);
// fsconfig would refuse it.
bool is_long(const MountWord& word);

// "unknown option 'noexc'; did you mean 'noexec'?", also from the words that
// common file systems know.
std::string unknown_option(std::string_view word);
