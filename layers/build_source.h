// SPDX-License-Identifier: Apache-2.0
// build_source.h - what COPY and ADD take: files of the build context, of another
// stage or of an image, found without leaving that tree.
//
// Names are resolved inside the root by the kernel, links included; what lies
// below is walked from directory to directory without following any (CVE-2020-10696,
// CVE-2026-28406 and kin).
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

#include "common/fd.h"

#include "digest.h"
#include "glob.h"

struct SourceTree {
  UniqueFd root;
  IgnoreRules ignore = {};
  std::string name = "the build context";  // for errors
};

// One that a word of the instruction means.
struct FoundSource {
  std::string path;  // in the tree, clean; empty: its root
  struct stat st = {};
};

// The word may be a pattern. Nothing found is an error.
Result<std::vector<FoundSource>> find_sources(const SourceTree& tree, const std::string& word);

// A file to be copied.
struct SourceItem {
  FdRef dir;                // open directory that holds it
  const std::string& name;  // in there
  const std::string& path;  // relative to what was named: "" is that itself
  const struct stat& st;
  FdRef file = FdRef(-1);  // open already, when it was named itself
};
// A regular file, at its beginning.
Result<UniqueFd> open_item(const SourceItem& item);
using SourceVisitor = std::function<Result<void>(const SourceItem&)>;

// All that a source holds, directories before their content, in order of names,
// without what is ignored or matches `exclude`. A link that was named itself is
// followed; those below are not.
Result<void> visit_source(const SourceTree& tree, const FoundSource& source,
                          const IgnoreRules& exclude, const SourceVisitor& visitor);

// Names, modes and content of what is visited; owners when `owners`. No times.
Result<void> hash_source(const SourceTree& tree, const FoundSource& source,
                         const IgnoreRules& exclude, bool owners, Sha256& hash);
