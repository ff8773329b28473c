// SPDX-License-Identifier: Apache-2.0
// link: -lisal -lcrypto -pthread
//
// unpack_floor.c - what a verified unpack cannot do without, over two threads:
// one reads, hashes and inflates a gzip layer, the other hashes what comes out and
// writes it, as one file. No tar, no files, no attributes.
//   unpack_floor LAYER.tar.gz OUTPUT
#include <err.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kChunk = 256 << 10, kChunks = 24 };

static struct {
  unsigned char data[kChunks][kChunk];
  size_t size[kChunks];
  unsigned long produced, consumed;
  int ended;
  pthread_mutex_t mutex;
  pthread_cond_t moved;
} ring = {.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static EVP_MD_CTX *start_hash(void) {
  EVP_MD_CTX *hash = EVP_MD_CTX_new();
  if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) errx(1, "sha256");
  return hash;
}

static unsigned char *wait_for_room(void) {
  pthread_mutex_lock(&ring.mutex);
  while (ring.produced - ring.consumed == kChunks) pthread_cond_wait(&ring.moved, &ring.mutex);
  pthread_mutex_unlock(&ring.mutex);
  return ring.data[ring.produced % kChunks];
}

static void publish(size_t size) {
  pthread_mutex_lock(&ring.mutex);
  if (size == 0) ring.ended = 1;
  ring.size[ring.produced % kChunks] = size;
  ring.produced += size != 0;
  pthread_cond_signal(&ring.moved);
  pthread_mutex_unlock(&ring.mutex);
}

static void *inflate_all(void *argument) {
  const char *path = argument;
  static unsigned char input[kChunk];
  static struct inflate_state state;
  EVP_MD_CTX *hash = start_hash();
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) err(1, "%s", path);
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  for (;;) {
    state.next_out = wait_for_room();
    state.avail_out = kChunk;
    while (state.avail_out > 0 && state.block_state != ISAL_BLOCK_FINISH) {
      if (state.avail_in == 0) {
        ssize_t n = read(fd, input, sizeof input);
        if (n < 0) err(1, "read %s", path);
        if (n == 0) break;
        EVP_DigestUpdate(hash, input, (size_t)n);
        state.next_in = input;
        state.avail_in = (unsigned)n;
      }
      if (isal_inflate(&state) < 0) errx(1, "%s: invalid data", path);
    }
    size_t used = kChunk - state.avail_out;
    publish(used);
    if (used == 0) return NULL;
  }
}

int main(int argc, char **argv) {
  if (argc != 3) errx(2, "usage: unpack_floor LAYER.tar.gz OUTPUT");
  EVP_MD_CTX *hash = start_hash();
  int out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) err(1, "%s", argv[2]);
  pthread_t producer;
  if (pthread_create(&producer, NULL, inflate_all, argv[1]) != 0) errx(1, "thread");
  for (;;) {
    pthread_mutex_lock(&ring.mutex);
    while (ring.produced == ring.consumed && !ring.ended)
      pthread_cond_wait(&ring.moved, &ring.mutex);
    int more = ring.produced != ring.consumed;
    pthread_mutex_unlock(&ring.mutex);
    if (!more) break;
    unsigned long slot = ring.consumed % kChunks;
    EVP_DigestUpdate(hash, ring.data[slot], ring.size[slot]);
    if (write(out, ring.data[slot], ring.size[slot]) != (ssize_t)ring.size[slot])
      err(1, "write %s", argv[2]);
    pthread_mutex_lock(&ring.mutex);
    ring.consumed++;
    pthread_cond_signal(&ring.moved);
    pthread_mutex_unlock(&ring.mutex);
  }
  pthread_join(producer, NULL);
  return 0;
}
