// SPDX-License-Identifier: Apache-2.0
// floor.c - the least that starting a container can cost: clone3 into the same
// namespaces, the mounts of the default spec, pivot_root, exec, wait; nothing else.
//   floor ROOTFS COMMAND [ARG]...
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(long result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  _exit(1);
}

static void mount_one(const char* source, const char* target, const char* type, unsigned long flags,
                      const char* data) {
  must(mount(source, target, type, flags, data), target);
}

static void mount_default_spec(void) {
  const unsigned long nosuid = MS_NOSUID, safe = MS_NOSUID | MS_NOEXEC | MS_NODEV;
  mount_one("proc", "proc", "proc", safe, NULL);
  mount_one("tmpfs", "dev", "tmpfs", nosuid | MS_STRICTATIME, "mode=755,size=65536k");
  must(mkdir("dev/pts", 0755), "dev/pts");
  must(mkdir("dev/shm", 01777), "dev/shm");
  must(mkdir("dev/mqueue", 0755), "dev/mqueue");
  mount_one("devpts", "dev/pts", "devpts", nosuid | MS_NOEXEC,
            "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_one("shm", "dev/shm", "tmpfs", safe, "mode=1777,size=65536k");
  mount_one("mqueue", "dev/mqueue", "mqueue", safe, NULL);
  mount_one("sysfs", "sys", "sysfs", safe | MS_RDONLY, NULL);
  if (access("sys/fs/cgroup", F_OK) == 0)
    mount_one("cgroup", "sys/fs/cgroup", "cgroup2", safe | MS_RDONLY | MS_RELATIME, NULL);
}

static void hide(const char* path) {
  struct stat s;
  if (stat(path, &s) != 0) return;
  if (S_ISDIR(s.st_mode))
    mount_one("tmpfs", path, "tmpfs", MS_RDONLY, NULL);
  else
    mount_one("/dev/null", path, NULL, MS_BIND, NULL);
}

static void protect(const char* path) {
  if (access(path, F_OK) != 0) return;
  mount_one(path, path, NULL, MS_BIND | MS_REC, NULL);
  mount_one(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
            NULL);
}

static void mask_default_spec(void) {
  static const char* const masked[] = {"proc/acpi",        "proc/asound",        "proc/kcore",
                                       "proc/keys",        "proc/latency_stats", "proc/timer_list",
                                       "proc/timer_stats", "proc/sched_debug",   "sys/firmware",
                                       "proc/scsi"};
  static const char* const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                         "proc/sysrq-trigger"};
  for (size_t i = 0; i < sizeof masked / sizeof *masked; ++i) hide(masked[i]);
  for (size_t i = 0; i < sizeof readonly / sizeof *readonly; ++i) protect(readonly[i]);
}

static void become_container(const char* rootfs, char** argv) {
  mount_one(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  mount_one(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
  must(chdir(rootfs), rootfs);
  mount_default_spec();
  mask_default_spec();
  must(sethostname("floor", 5), "sethostname");
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(chdir("/"), "chdir");
  execv(argv[0], argv);
  must(-1, argv[0]);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  struct clone_args args = {
      .flags =
          CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
      .exit_signal = SIGCHLD,
  };
  const long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) become_container(argv[1], argv + 2);
  int status;
  must(waitpid((pid_t)pid, &status, 0), "wait");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
