// SPDX-License-Identifier: Apache-2.0
// netavark.h - the protocol of podman's network helper, for who calls us by its name.
#pragma once

bool called_as_netavark(const char* program);
int run_netavark(int argc, char** argv);
