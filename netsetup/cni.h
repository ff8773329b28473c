// SPDX-License-Identifier: Apache-2.0
// cni.h - the CNI plugin protocol (versions 0.1.0 to 1.1.0).
#pragma once

// With CNI_COMMAND set, or called by the name of a type of plugin, the program is
// that plugin; the exit status.
bool called_as_cni_plugin(const char* program);
int run_cni_plugin(const char* program);
