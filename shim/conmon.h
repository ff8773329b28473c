// SPDX-License-Identifier: Apache-2.0
// conmon.h - the shim under an engine: conmon's command line, pipes and files.
#pragma once

// True when the words are conmon's: that is our name, or there is no verb.
bool is_conmon(int argc, char** argv);

// The whole of main.
int run_conmon(int argc, char** argv);
