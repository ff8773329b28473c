// SPDX-License-Identifier: Apache-2.0
// hooks.h - the hooks that run outside: prestart, createRuntime, poststart, poststop.
#pragma once

#include "common/oci_state.h"

#include "spec.h"

// In order, each with the state on its standard input, within its time limit.
// The first that fails ends it.
Result<void> run_hooks(const Spec& spec, HookKind kind, const OciState& state);
