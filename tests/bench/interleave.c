// SPDX-License-Identifier: Apache-2.0
// interleave.c - times several commands in turn: A B C A B C …
//
// Whatever else the machine does hits all of them alike, so their ratios hold
// where absolute times drift. Commands of a millisecond are measured well: they
// are started by posix_spawn, with no shell between, and timed from before the
// spawn to after wait4. Prints a table and, with -o, one JSON object per command.
//
// Plain C and static on purpose: Linux counts the spawning process's resident
// memory into a child's peak, so the timer itself must be small.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

enum { kMostCommands = 16, kMostWords = 256, kWordSize = 4096 };

struct Run {
  double wall;  // milliseconds, all three
  double user;
  double sys;
  long rss;  // KiB
};

struct Command {
  const char* name;
  const char* before;  // shell text, not timed; or NULL
  const char* after;
  char** words;
  struct Run* runs;
  int failed;
  int last_status;
  const char* problem;  // why it is left out; NULL while it works
};

struct Settings {
  const char *bench, *what, *output, *input;
  int rounds, warmup, most_seconds;
};

static const char kUsage[] =
    "usage: interleave [OPTION]... NAME [-b SHELL] [-a SHELL] COMMAND [ARG]... [:: NAME ...]...\n"
    "  -r N     rounds (20)\n"
    "  -w N     rounds before them that do not count (2)\n"
    "  -s N     stop after N seconds, with at least 3 rounds done\n"
    "  -n NAME  the benchmark, for the JSON lines\n"
    "  -c CASE  the case, for the table and the JSON lines\n"
    "  -o FILE  append one JSON object per command\n"
    "  -i FILE  standard input of the commands (/dev/null)\n"
    "  -b, -a after a NAME: shell text run before and after each run, not timed\n"
    "{n} in a word becomes a number that no other run of the command has.\n"
    "Standard output of the commands is dropped. A command that fails twice in a row is left "
    "out.\n";

static void die(const char* what, const char* object) {
  fprintf(stderr, "interleave: %s '%s': %s\n", what, object, strerror(errno));
  exit(1);
}

static void usage(const char* why) {
  fprintf(stderr, "interleave: %s\n%s", why, kUsage);
  exit(2);
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t) {
  return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static void fill_in(char* to, const char* word, int number) {
  char digits[16];
  snprintf(digits, sizeof digits, "%d", number);
  size_t used = 0;
  while (*word != 0 && used + sizeof digits < kWordSize) {
    if (strncmp(word, "{n}", 3) == 0) {
      used += (size_t)sprintf(to + used, "%s", digits);
      word += 3;
    } else {
      to[used++] = *word++;
    }
  }
  to[used] = 0;
}

static void shell(const char* text, int number) {
  if (text == NULL) return;
  static char filled[kWordSize];
  fill_in(filled, text, number);
  if (system(filled) != 0) fprintf(stderr, "interleave: failed: %s\n", filled);
}

// The words of a command with {n} filled in; valid until the next call.
static char** argv_for(const struct Command* command, int number) {
  static char text[kMostWords][kWordSize];
  static char* argv[kMostWords + 1];
  int i = 0;
  for (; command->words[i] != NULL && i < kMostWords; ++i) {
    if (strstr(command->words[i], "{n}") == NULL) {
      argv[i] = command->words[i];
    } else {
      fill_in(text[i], command->words[i], number);
      argv[i] = text[i];
    }
  }
  argv[i] = NULL;
  return argv;
}

static int run_once(struct Command* command, const char* input, int number, struct Run* result) {
  shell(command->before, number);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, input, O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  char** argv = argv_for(command, number);
  pid_t pid;
  int status = 0;
  struct rusage used;
  const double start = now_ms();
  errno = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
  if (errno != 0) return 127;
  while (wait4(pid, &status, 0, &used) < 0)
    if (errno != EINTR) die("wait for", argv[0]);
  result->wall = now_ms() - start;
  result->user = ms(used.ru_utime);
  result->sys = ms(used.ru_stime);
  result->rss = used.ru_maxrss;
  posix_spawn_file_actions_destroy(&files);
  shell(command->after, number);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

// The value below which the given share of `values` lies; sorts them.
static double quantile(double* values, int count, double share) {
  qsort(values, (size_t)count, sizeof *values, by_value);
  if (share == 0.5 && count % 2 == 0) return (values[count / 2 - 1] + values[count / 2]) / 2;
  return values[(int)((double)(count - 1) * share + 0.5)];
}

struct Summary {
  double median, least, p90, cpu, ratio, pairs;
  long rss;
};

static struct Summary summarise(const struct Command* command, const struct Command* first,
                                int rounds) {
  double *wall = malloc(sizeof(double) * (size_t)rounds),
         *cpu = malloc(sizeof(double) * (size_t)rounds);
  double *base = malloc(sizeof(double) * (size_t)rounds),
         *pair = malloc(sizeof(double) * (size_t)rounds);
  struct Summary s = {.rss = 0};
  for (int i = 0; i < rounds; ++i) {
    const struct Run* r = &command->runs[i];
    wall[i] = r->wall;
    cpu[i] = r->user + r->sys;
    base[i] = first->runs[i].wall;
    pair[i] = wall[i] / base[i];
    if (r->rss > s.rss) s.rss = r->rss;
  }
  s.p90 = quantile(wall, rounds, 0.9);
  s.median = quantile(wall, rounds, 0.5);
  s.least = wall[0];
  s.cpu = quantile(cpu, rounds, 0.5);
  s.ratio = s.median / quantile(base, rounds, 0.5);
  s.pairs = quantile(pair, rounds, 0.5);
  free(wall), free(cpu), free(base), free(pair);
  return s;
}

static void json_text(FILE* out, const char* text) {
  fputc('"', out);
  for (; *text != 0; ++text) {
    if (*text == '"' || *text == '\\') fputc('\\', out);
    if ((unsigned char)*text >= ' ') fputc(*text, out);
  }
  fputc('"', out);
}

static void write_json(const struct Settings* set, const struct Command* c, const struct Summary* s,
                       int rounds) {
  FILE* out = fopen(set->output, "ae");
  if (out == NULL) die("open", set->output);
  fputs("{\"bench\":", out), json_text(out, set->bench);
  fputs(",\"case\":", out), json_text(out, set->what);
  fputs(",\"name\":", out), json_text(out, c->name);
  if (c->problem != NULL) {
    fputs(",\"problem\":", out), json_text(out, c->problem);
  } else {
    fprintf(out,
            ",\"median_ms\":%.4f,\"min_ms\":%.4f,\"p90_ms\":%.4f,\"cpu_ms\":%.4f,\"rss_kib\":%ld,"
            "\"ratio\":%.4f,\"pair_ratio\":%.4f,\"rounds\":%d,\"failed\":%d",
            s->median, s->least, s->p90, s->cpu, s->rss, s->ratio, s->pairs, rounds, c->failed);
  }
  fputs("}\n", out);
  if (fclose(out) != 0) die("write", set->output);
}

static void report(const struct Settings* set, struct Command* commands, int count, int rounds) {
  const struct Command* first = NULL;
  for (int i = 0; i < count && first == NULL; ++i)
    if (commands[i].problem == NULL) first = &commands[i];
  printf("%s\n  %-26s %9s %9s %9s %9s %9s %8s %8s\n", set->what, "", "median ms", "min ms",
         "p90 ms", "cpu ms", "rss KiB", "ratio", "pairs");
  for (int i = 0; i < count; ++i) {
    const struct Command* c = &commands[i];
    struct Summary s = {.rss = 0};
    if (c->problem != NULL) {
      printf("  %-26s %s (status %d)\n", c->name, c->problem, c->last_status);
    } else {
      s = summarise(c, first, rounds);
      printf("  %-26s %9.2f %9.2f %9.2f %9.2f %9ld %8.2f %8.2f\n", c->name, s.median, s.least,
             s.p90, s.cpu, s.rss, s.ratio, s.pairs);
    }
    if (set->output != NULL) write_json(set, c, &s, rounds);
  }
  fflush(stdout);
}

// One run; a first failure is tried again, a second one ends the command's part.
static void take_turn(struct Command* c, const struct Settings* set, int round) {
  static int number = 0;
  struct Run run;
  for (int attempt = 0; attempt < 2; ++attempt) {
    c->last_status = run_once(c, set->input, ++number, &run);
    if (c->last_status == 0) {
      if (round >= 0) c->runs[round] = run;
      return;
    }
    ++c->failed;
  }
  c->problem = c->last_status == 127 ? "cannot be started" : "fails";
}

static int measure(struct Command* commands, int count, const struct Settings* set) {
  for (int round = 0; round < set->warmup; ++round)
    for (int i = 0; i < count; ++i)
      if (commands[i].problem == NULL) take_turn(&commands[i], set, -1);
  const double start = now_ms();
  int round = 0;
  while (round < set->rounds) {
    for (int i = 0; i < count; ++i)
      if (commands[i].problem == NULL) take_turn(&commands[i], set, round);
    ++round;
    if (set->most_seconds > 0 && round >= 3 && now_ms() - start > set->most_seconds * 1e3) break;
  }
  return round;
}

static int number_of(const char* text) {
  char* end;
  const long n = strtol(text, &end, 10);
  if (*end != 0 || n < 0 || n > 1000000) usage("a number between 0 and 1000000 is needed");
  return (int)n;
}

static struct Settings parse_settings(int argc, char** argv) {
  struct Settings set = {.bench = "", .what = "", .input = "/dev/null", .rounds = 20, .warmup = 2};
  int option;
  while ((option = getopt(argc, argv, "+r:w:s:n:c:o:i:h")) != -1) {
    switch (option) {
      case 'r':
        set.rounds = number_of(optarg);
        break;
      case 'w':
        set.warmup = number_of(optarg);
        break;
      case 's':
        set.most_seconds = number_of(optarg);
        break;
      case 'n':
        set.bench = optarg;
        break;
      case 'c':
        set.what = optarg;
        break;
      case 'o':
        set.output = optarg;
        break;
      case 'i':
        set.input = optarg;
        break;
      case 'h':
        fputs(kUsage, stdout);
        exit(0);
      default:
        usage("unknown option");
    }
  }
  if (set.rounds < 1) usage("at least one round is needed");
  return set;
}

// Splits the rest of the command line at "::"; NULLs end each command's words.
static int parse_commands(char** word, struct Command* commands, int rounds) {
  int count = 0;
  while (*word != NULL) {
    if (count == kMostCommands) usage("too many commands");
    struct Command* c = &commands[count++];
    *c = (struct Command){.name = *word++};
    while (*word != NULL && (strcmp(*word, "-b") == 0 || strcmp(*word, "-a") == 0)) {
      if (word[1] == NULL) usage("-b and -a need a text");
      *((*word)[1] == 'b' ? &c->before : &c->after) = word[1];
      word += 2;
    }
    c->words = word;
    while (*word != NULL && strcmp(*word, "::") != 0) ++word;
    if (word == c->words) usage("a name without a command");
    if (*word != NULL) *word++ = NULL;
    c->runs = calloc((size_t)rounds, sizeof *c->runs);
    if (c->runs == NULL) die("allocate", c->name);
  }
  if (count == 0) usage("no command");
  return count;
}

int main(int argc, char** argv) {
  const struct Settings set = parse_settings(argc, argv);
  static struct Command commands[kMostCommands];
  const int count = parse_commands(argv + optind, commands, set.rounds);
  const int rounds = measure(commands, count, &set);
  report(&set, commands, count, rounds);
  return 0;
}
