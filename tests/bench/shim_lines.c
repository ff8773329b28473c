// SPDX-License-Identifier: Apache-2.0
// shim_lines.c - a container's program that does nothing but talk: `shim_lines N`
// writes N lines of 88 bytes, as fast as they are taken.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kLine = 88, kLines = 744 };  // just under 64 KiB, the size of a pipe

int main(int argc, char **argv) {
  static char block[kLine * kLines];
  long left = argc > 1 ? atol(argv[1]) : 1000000;
  for (int i = 0; i < kLines; ++i) {
    memset(block + i * kLine, 'a' + i % 26, kLine - 1);
    block[i * kLine + kLine - 1] = '\n';
  }
  while (left > 0) {
    const long lines = left < kLines ? left : kLines;
    const char *at = block;
    const char *const end = block + lines * kLine;
    while (at < end) {
      const ssize_t n = write(STDOUT_FILENO, at, (size_t)(end - at));
      if (n < 0) return 1;
      at += n;
    }
    left -= lines;
  }
  return 0;
}
