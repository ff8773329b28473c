// SPDX-License-Identifier: Apache-2.0
#include "mount_options.h"

#include <sys/mount.h>

#include "table_mount_options.h"

namespace {

// Any change of an access-time bit is a choice of one of four values.
void whole_atime(std::uint64_t set, std::uint64_t& clear) {
  if (((set | clear) & MOUNT_ATTR__ATIME) != 0) clear |= MOUNT_ATTR__ATIME;
}

void take_special(std::uint64_t what, MountOptions& out) {
  switch (what) {
    case kTmpCopyUp:
      out.copy_up = true;
      break;
    case kIdmap:
      out.idmap = true;
      break;
    case kRecursiveIdmap:
      out.idmap = out.idmap_all = true;
      break;
    case kCopySymlink:
      out.copy_link = true;
      out.follow = false;
      break;
    case kSourceNoFollow:
      out.follow = false;
      break;
    case kRemount:
      out.remount = true;
      break;
    case kDestinationNoFollow:
      out.at_link = true;
      break;
    default:
      break;
  }
}

void take_option(const std::string& word, int number, MountOptions& out) {
  const MountOption* row = find_row(kMountOptions, word);
  if (row == nullptr) {
    out.data.push_back({word, number});
    return;
  }
  switch (row->kind) {
    case OptionKind::Set:
      out.set |= row->value;
      out.clear &= ~row->value;
      break;
    case OptionKind::Clear:
      out.set &= ~row->value;
      out.clear |= row->value;
      break;
    case OptionKind::SetAll:
      out.set_all |= row->value;
      break;
    case OptionKind::ClearAll:
      out.clear_all |= row->value;
      break;
    case OptionKind::Super:
      out.data.push_back({std::string(row->super), number});
      break;
    case OptionKind::Propagation:
      out.propagation.push_back(row->value);
      break;
    case OptionKind::Bind:
      out.bind = true;
      out.recursive |= row->value != 0;
      break;
    case OptionKind::Special:
      take_special(row->value, out);
      break;
  }
}

// One byte says which option a word was: 1 to 254, or 255 for none that can be named.
constexpr int kNoNumber = 255;

char number_byte(int option) {
  return static_cast<char>(option < 0 || option + 1 >= kNoNumber ? kNoNumber : option + 1);
}

}  // namespace

MountOptions sort_mount_options(const MountSpec& mount) {
  MountOptions out;
  int number = 0;
  for (const std::string& word : mount.options) take_option(word, number++, out);
  out.bind |= mount.type == "bind" || mount.type == "rbind";
  out.recursive |= mount.type == "rbind";
  out.idmap |= !mount.uid_mappings.empty();
  whole_atime(out.set, out.clear);
  whole_atime(out.set_all, out.clear_all);
  return out;
}

std::uint32_t encode_words(Plan& plan, const std::vector<MountWord>& words) {
  if (words.empty()) return 0;
  std::string out;
  for (const MountWord& word : words) {
    const std::size_t equals = word.text.find('=');
    out += equals == std::string::npos ? 'F' : 'S';
    out += number_byte(word.option);
    out.append(word.text, 0, equals).push_back('\0');
    if (equals != std::string::npos) out.append(word.text, equals + 1).push_back('\0');
  }
  return plan.text(out);
}

std::vector<MountWord> decode_words(const Plan& plan, std::uint32_t offset) {
  std::vector<MountWord> out;
  for (const char* at = offset == 0 ? "" : plan.data_at(offset); *at != '\0';) {
    const bool flag = *at == 'F';
    const int number = static_cast<unsigned char>(at[1]);
    MountWord word = {at + 2, number == kNoNumber ? -1 : number - 1};
    at += 2 + word.text.size() + 1;
    if (!flag) {
      const std::string_view value(at);
      word.text.append("=").append(value);
      at += value.size() + 1;
    }
    out.push_back(std::move(word));
  }
  return out;
}

bool is_long(const MountWord& word) {
  constexpr std::size_t kMost = 255;
  const std::size_t equals = word.text.find('=');
  return equals != std::string::npos && word.text.size() - equals - 1 > kMost;
}

MountText join_words(const std::vector<MountWord>& words) {
  MountText out;
  for (const MountWord& word : words) {
    const MountOption* row = find_row(kMountOptions, word.text);
    const bool is_flag = row != nullptr && row->kind == OptionKind::Super;
    if (is_flag) out.flags |= row->value;
    if (is_flag && !word.text.ends_with("acl")) continue;
    if (!out.text.empty()) out.text += ',';
    out.text += word.text;
  }
  return out;
}

std::string unknown_option(std::string_view word) {
  std::string text = "unknown option '" + std::string(word) + "'";
  const std::string_view key = word.substr(0, word.find('='));
  const std::string hint = did_you_mean(kMountOptions, key);
  return text + (hint.empty() ? nearest_word(kFileSystemWords, key) : hint);
}
