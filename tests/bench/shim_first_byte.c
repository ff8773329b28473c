// SPDX-License-Identifier: Apache-2.0
// shim_first_byte SOCKET - joins an attach socket and prints how many microseconds
// passed from connect() to the first packet: the monitor's part of the latency,
// without the start of a client.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

int main(int argc, char** argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char packet[8193];
  if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) return 2;
  strcpy(address.sun_path, argv[1]);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  const double from = now();
  if (fd < 0 || connect(fd, (const struct sockaddr*)&address, sizeof address) != 0) return 1;
  if (recv(fd, packet, sizeof packet, 0) <= 0) return 1;
  printf("%.0f\n", now() - from);
  return 0;
}
