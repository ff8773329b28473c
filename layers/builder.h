// SPDX-License-Identifier: Apache-2.0
// builder.h - carries out a Dockerfile: the stages that the target needs, one
// instruction after the other, each step that changes files as a layer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "build_cache.h"
#include "build_options.h"
#include "build_source.h"
#include "build_stage.h"
#include "dockerfile.h"
#include "step_root.h"
#include "store.h"

class Builder {
 public:
  static Result<Builder> create(const Store& store, const BuildOptions& options);
  // The image of the target.
  Result<NewImage> run();

 private:
  // The instructions from one FROM to the next.
  struct Plan {
    std::string name;
    std::string base;      // image, stage or "scratch"
    std::string platform;  // of FROM --platform, or empty
    std::size_t first = 0;
    std::size_t last = 0;
  };
  // Where --from leads: a directory of the host, or layers.
  struct Origin {
    std::string name;
    std::string directory = {};
    std::vector<std::string> layers = {};
    std::string key;  // of its content; empty for a directory
    bool is_context = false;
  };
  // Changes the root; the places that it mounted on.
  using Work = std::function<Result<std::set<std::string>>(StepRoot&)>;
  struct CopyJob;
  struct RunJob;

  Builder(const Store& store, const BuildOptions& options, BuildCache cache)
      : store_(&store), options_(&options), cache_(std::move(cache)) {}

  Result<void> read_context();
  Result<void> plan();
  Result<void> plan_stage(const Instruction& from, std::size_t index);
  Result<std::size_t> find_target() const;
  std::optional<std::size_t> find_stage(const std::string& name, std::size_t before) const;

  Result<Stage*> build(std::size_t number);
  Result<Stage> base_of(std::size_t number);
  Result<void> triggers(Stage& stage);
  Result<void> step(Stage& stage, const Instruction& instruction);
  Result<void> execute(Stage& stage, const Instruction& instruction);
  Result<void> arg(Stage& stage, const Instruction& instruction);
  Result<void> workdir(Stage& stage, const Instruction& instruction);
  Result<void> layer_step(Stage& stage, const Instruction& instruction, const std::string& inputs,
                          const Work& work);
  std::optional<std::string> argument(const std::string& name) const;
  Lookup global_lookup() const;
  Result<Image> load_image(const std::string& name, const Platform& platform) const;

  Result<Origin> origin(const Stage& stage, const std::string& from);
  Result<SourceTree> open_origin(const Origin& origin) const;

  Result<void> copy(Stage& stage, const Instruction& instruction);
  Result<void> read_copy_flags(Stage& stage, std::string& text, CopyJob& job);
  Result<void> add_source(CopyJob& job, const std::string& word, const Instruction& instruction);
  Result<std::string> hash_inputs(const CopyJob& job) const;
  Result<void> carry_out(const Stage& stage, const CopyJob& job, FdRef rootfs) const;

  Result<void> run_command(Stage& stage, const Instruction& instruction);
  Result<void> add_mount(Stage& stage, const std::string& text, RunJob& job);
  Result<void> prepare_mounts(RunJob& job, StepRoot& root);
  Result<void> prepare_secret(RunJob& job, std::size_t number, StepRoot& root);
  Result<std::string> bind_source(const Origin& origin, const std::string& source, StepRoot& root,
                                  const std::string& name) const;
  Result<void> start_container(const Stage& stage, RunJob& job, StepRoot& root);

  void say(const std::string& line) const;

  const Store* store_;
  const BuildOptions* options_;
  BuildCache cache_;
  SourceTree context_;
  Dockerfile file_;
  std::vector<Plan> plans_;
  std::map<std::string, std::string> global_args_;
  std::set<std::string> used_args_;
  std::map<std::size_t, std::unique_ptr<Stage>> built_;
};
