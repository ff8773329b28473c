// SPDX-License-Identifier: Apache-2.0
// layers: images come in, become root filesystems, and go out.
#include <sys/stat.h>

#include <array>

#include "common/cli.h"

#include "change_commands.h"
#include "commands.h"

namespace {

constexpr auto kGlobal = std::to_array<Option>({
    {.name = "store",
     .kind = Option::Kind::Value,
     .argument = "DIR",
     .help = "where images are kept (default /var/lib/layers, or $LAYERS_STORE)"},
    {.name = "events",
     .kind = Option::Kind::Value,
     .argument = "PATH",
     .help = "append events to this file, FIFO or socket"},
});

constexpr auto kVerbs = std::to_array<Verb>({
    {.name = "import",
     .run = cmd_import,
     .synopsis = "SOURCE [NAME[:TAG]]",
     .summary = "put an image into the store",
     .options = kImportOptions,
     .least = 1,
     .most = 2},
    {.name = "images",
     .run = cmd_images,
     .synopsis = "",
     .summary = "list the images of the store",
     .options = kImagesOptions},
    {.name = "unpack",
     .run = cmd_unpack,
     .synopsis = "IMAGE DIR",
     .summary = "write an image's files into a plain directory",
     .options = kUnpackOptions,
     .least = 2,
     .most = 2},
    {.name = "bundle",
     .run = cmd_bundle,
     .synopsis = "IMAGE DIR [-- ARG...] | --remove DIR",
     .summary = "make a directory that a runtime can start",
     .options = kBundleOptions,
     .least = 1,
     .most = kAny},
    {.name = "diff",
     .run = cmd_diff,
     .synopsis = "BUNDLE | UPPER --base IMAGE | OLD NEW",
     .summary = "write what has changed as a layer, or list it",
     .options = kDiffOptions,
     .least = 1,
     .most = 2},
    {.name = "commit",
     .run = cmd_commit,
     .synopsis = "BUNDLE|UPPER NAME[:TAG]",
     .summary = "make an image of what has changed in a bundle",
     .options = kCommitOptions,
     .least = 2,
     .most = 2},
    {.name = "inspect",
     .run = cmd_inspect,
     .synopsis = "IMAGE",
     .summary = "print manifest and configuration of an image as JSON",
     .options = {},
     .least = 1,
     .most = 1},
    {.name = "history",
     .run = cmd_history,
     .synopsis = "IMAGE",
     .summary = "how an image was made, newest step first",
     .options = {},
     .least = 1,
     .most = 1},
    {.name = "tag",
     .run = cmd_tag,
     .synopsis = "IMAGE NAME[:TAG]",
     .summary = "give an image one more name",
     .options = {},
     .least = 2,
     .most = 2},
    {.name = "untag",
     .run = cmd_untag,
     .synopsis = "NAME[:TAG]",
     .summary = "take a name from an image; its data stays",
     .options = {},
     .least = 1,
     .most = 1},
    {.name = "rm",
     .run = cmd_rm,
     .synopsis = "IMAGE...",
     .summary = "remove images and what no other image or bundle needs",
     .options = {},
     .least = 1,
     .most = kAny},
    {.name = "gc",
     .run = cmd_gc,
     .synopsis = "",
     .summary = "remove what no image and no bundle needs",
     .options = {}},
    {.name = "verify",
     .run = cmd_verify,
     .synopsis = "",
     .summary = "read everything and compare it with its digest",
     .options = {}},
});

constexpr Program kProgram{
    .name = "layers",
    .summary = "An image store that is an OCI image layout, and a fast, safe unpacker.",
    .version = "layers 0.1.0\n",
    .options = kGlobal,
    .verbs = kVerbs,
};

}  // namespace

int main(int argc, char** argv) {
  // Every mode in this program is meant as it stands. Once for the process, since
  // the threads that unpack layers share it.
  (void)::umask(0);
  return run_program(kProgram, argc, argv);
}
