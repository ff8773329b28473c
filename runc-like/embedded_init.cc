// SPDX-License-Identifier: Apache-2.0
#include "embedded_init.h"

// INIT_ELF is the path of the linked init, given by the Makefile.
asm(".section .rodata\n"
    ".balign 16\n"
    "embedded_init_begin:\n"
    ".incbin \"" INIT_ELF
    "\"\n"
    "embedded_init_end:\n"
    ".previous\n");

extern "C" const char embedded_init_begin[];
extern "C" const char embedded_init_end[];

std::string_view embedded_init() {
  return {embedded_init_begin, static_cast<std::size_t>(embedded_init_end - embedded_init_begin)};
}
