// SPDX-License-Identifier: Apache-2.0
// attach_echo.c - the time of a line through a shim's attach socket to a container
// that echoes it, and back: connects, sends, waits; prints the median in us.
//   attach_echo SOCKET ROUNDS
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(ssize_t result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "attach_echo: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
  const int rounds = atoi(argv[2]);
  double* times = calloc((size_t)rounds, sizeof *times);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  must(fd, "socket");
  must(connect(fd, (const struct sockaddr*)&address, sizeof address), argv[1]);
  for (int i = 0; i < rounds; ++i) {
    char line[16], packet[8193];
    const int length = snprintf(line, sizeof line, "%06d\n", i);
    const double start = now_us();
    must(send(fd, line, (size_t)length, 0), "send");
    ssize_t got;
    do {  // byte 0 names the stream; an older line may still be under way
      got = recv(fd, packet, sizeof packet, 0);
      must(got == 0 ? -1 : got, "receive");
    } while (got < 1 + length || memcmp(packet + got - length, line, (size_t)length) != 0);
    times[i] = now_us() - start;
  }
  qsort(times, (size_t)rounds, sizeof *times, by_value);
  printf("%.1f\n", times[rounds / 2]);
  return 0;
}
