// SPDX-License-Identifier: Apache-2.0
// build_files.cc - COPY and ADD as instructions: what they name, where it goes.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/beneath.h"

#include "build_copy.h"
#include "builder.h"
#include "fetch.h"
#include "file_stream.h"
#include "target_tree.h"

namespace {

std::string base_name(const std::string& path) {
  const std::string clean = clean_path(path);
  return clean.substr(clean.rfind('/') + 1);
}

bool is_url(const std::string& word) {
  return word.starts_with("http://") || word.starts_with("https://");
}

std::string join(const std::string& dir, const std::string& name) {
  if (dir.empty() || name.empty()) return dir + name;
  return dir + "/" + name;
}

}  // namespace

struct Builder::CopyJob {
  struct Item {
    std::string name;                        // for a target that is a directory
    std::optional<FoundSource> source = {};  // in the tree
    std::optional<std::string> text = {};    // of a here-document
    UniqueFd file = {};                      // fetched
    struct stat st = {};
    bool archive = false;
  };
  bool add = false;
  bool parents = false;
  std::string chown = {};
  std::string checksum = {};
  CopyOptions options = {};
  Origin origin = {};
  SourceTree tree = {};
  std::vector<Item> items = {};
  std::string target = {};  // as it stands
  bool several = false;     // so the target is a directory
};

Result<void> Builder::read_copy_flags(Stage& stage, std::string& text, CopyJob& job) {
  const Lookup lookup = TRY(stage.lookup());
  std::string from;
  for (const Flag& flag : take_flags(text)) {
    const std::string value = TRY(expand_word(flag.value, lookup, stage.escape));
    if (flag.name == "from" && !job.add)
      from = value;
    else if (flag.name == "chown")
      job.chown = value;
    else if (flag.name == "chmod")
      job.options.mode = value;
    else if (flag.name == "exclude")
      job.options.exclude.add(value);
    else if (flag.name == "parents" && !job.add)
      job.parents = value != "false";
    else if (flag.name == "checksum" && job.add)
      job.checksum = value;
    else if (flag.name != "link")  // a layer of its own is what every COPY makes
      return Error{"unknown option --" + flag.name};
  }
  if (!job.options.mode.empty() && !change_mode(job.options.mode, 0))
    return Error{"--chmod=" + job.options.mode + ": expected 755, u+x or the like"};
  job.origin = TRY(origin(stage, from));
  job.tree = TRY(open_origin(job.origin));
  return {};
}

Result<void> Builder::add_source(CopyJob& job, const std::string& word,
                                 const Instruction& instruction) {
  if (job.add && is_url(word)) {
    CopyJob::Item item{.name = base_name(word.substr(0, word.find_first_of("?#")))};
    const TempDir dir = TRY(store_->scratch());
    item.file = TRY(open_at(dir.fd(), "file", O_RDWR | O_CREAT | O_EXCL, 0600));
    say("  fetching " + word);
    TRY(fetch(word, item.file, options_->limits.most_bytes));
    if (::fstat(item.file.get(), &item.st) != 0) return errno_error("stat", word);
    item.st.st_uid = item.st.st_gid = 0;
    job.items.push_back(std::move(item));
    return {};
  }
  if (word.starts_with("<<")) {
    const auto found = std::ranges::find_if(instruction.heredocs, [&](const Heredoc& h) {
      return word.ends_with(h.name) || word.ends_with(h.name + "\"") ||
             word.ends_with(h.name + "'");
    });
    if (found == instruction.heredocs.end()) return Error{"'" + word + "' has no text"};
    job.items.push_back({.name = found->name, .text = found->text});
    return {};
  }
  if (word.find("://") != std::string::npos || word.starts_with("git@"))
    return Error{"'" + word + "': only http and https addresses can be fetched"};
  const auto found = TRY(find_sources(job.tree, word));
  job.several = job.several || found.size() > 1 || is_pattern(word);
  for (const FoundSource& source : found) {
    CopyJob::Item item{.name = job.parents ? source.path : base_name(source.path),
                       .source = source};
    if (job.add && S_ISREG(source.st.st_mode)) {
      const UniqueFd file = TRY(open_in_root(job.tree.root, source.path, O_RDONLY | O_NONBLOCK));
      item.archive = TRY(is_archive(file));
    }
    job.items.push_back(std::move(item));
  }
  return {};
}

// All that decides what the layer will be.
Result<std::string> Builder::hash_inputs(const CopyJob& job) const {
  Sha256 hash;
  hash.update(job.target + "\n" + job.chown + "\n" + job.options.mode + "\n" +
              (job.parents ? "parents\n" : "\n"));
  const bool owners = !job.origin.is_context && job.chown.empty();
  for (const CopyJob::Item& item : job.items) {
    hash.update(item.name + '\0' + (item.archive ? "archive" : "") + '\0');
    if (item.text) hash.update(*item.text);
    if (item.source) TRY(hash_source(job.tree, *item.source, job.options.exclude, owners, hash));
    if (!item.file) continue;
    Sha256 content;
    UniqueFd copy(::fcntl(item.file.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy || ::lseek(copy.get(), 0, SEEK_SET) != 0) return errno_error("read", item.name);
    FileStream stream(std::move(copy), item.name);
    for (;;) {
      const std::string_view piece = TRY(stream.next(static_cast<std::size_t>(-1)));
      if (piece.empty()) break;
      content.update(piece);
    }
    const std::string found = content.finish().text();
    if (!job.checksum.empty() && job.checksum != found)
      return Error{"'" + item.name + "' has the checksum " + found + ", not " + job.checksum};
    hash.update(found);
  }
  return hash.finish().text();
}

Result<void> Builder::carry_out(const Stage& stage, const CopyJob& job, FdRef rootfs) const {
  CopyOptions options = job.options;
  if (!job.chown.empty())
    options.owner = TRY(resolve_owner(rootfs, job.chown));
  else if (job.origin.is_context)
    options.owner = Owner{};
  const std::string dir = TRY(stage.working_dir());
  const bool absolute = job.target.starts_with('/');
  const std::string target = clean_path(absolute ? job.target : dir + "/" + job.target);
  const bool into = job.several || job.target.ends_with('/') || job.target == "." ||
                    job.target.ends_with("/.") || is_directory_in(rootfs, target);
  for (const CopyJob::Item& item : job.items) {
    const bool is_directory = item.source && S_ISDIR(item.source->st.st_mode);
    const std::string place =
        job.parents || (into && !is_directory) ? join(target, item.name) : target;
    if (item.text) {
      TRY(write_into(rootfs, place, *item.text, options));
    } else if (item.archive) {
      UniqueFd file = TRY(open_in_root(job.tree.root, item.source->path, O_RDONLY | O_NONBLOCK));
      auto done = extract_archive(std::move(file), rootfs, target);
      if (!done) return std::move(done).error().in("'" + item.source->path + "'");
    } else if (item.source) {
      TRY(copy_source(job.tree, *item.source, rootfs, place, options));
    } else {
      TRY(copy_open_file(item.file, item.st, rootfs, place, options));
    }
  }
  return {};
}

Result<void> Builder::copy(Stage& stage, const Instruction& instruction) {
  CopyJob job;
  job.add = instruction.keyword == "ADD";
  std::string text = instruction.text;
  TRY(read_copy_flags(stage, text, job));
  const auto json = json_words(text);
  std::vector<std::string> words = json ? *json : TRY(expanded_words(stage, text));
  if (words.size() < 2) return Error{"expected SOURCE... TARGET"};
  job.target = words.back();
  words.pop_back();
  for (const std::string& word : words) TRY(add_source(job, word, instruction));
  job.several = job.several || job.items.size() > 1;
  if (job.items.size() > 1 && !job.target.ends_with('/') && job.target != ".")
    return Error{"several files need a target that ends with '/', not '" + job.target + "'"};
  const Lookup lookup = TRY(stage.lookup());
  for (CopyJob::Item& item : job.items) {
    if (!item.text) continue;
    const auto doc = std::ranges::find(instruction.heredocs, item.name, &Heredoc::name);
    // Quotes in the text are text: only variables are put in.
    if (doc != instruction.heredocs.end() && doc->expand)
      item.text = TRY(expand_text(*item.text, lookup, stage.escape));
  }
  const std::string inputs =
      TRY(hash_inputs(job)) + "\n" + job.origin.key + "\n" + TRY(stage.working_dir());
  return layer_step(stage, instruction, inputs,
                    [&](StepRoot& root) -> Result<std::set<std::string>> {
                      TRY(carry_out(stage, job, root.root()));
                      return std::set<std::string>();
                    });
}
