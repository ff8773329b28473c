#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The same bundle through runc-like and through its peers: what the container sees
# of itself must be the same, field by field. Each difference that is left is
# taken out below, with its reason.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/runtime

setup() {
  make_bundle
  # A version and a form that old peers know; umask: they set 022 where none is given.
  configure '.ociVersion = "1.0.2" | .process.user.umask = 18'
  cp "$(dirname "$BATS_TEST_FILENAME")/../lib/look-around" "$B/rootfs/look-around"
  chmod 755 "$B/rootfs/look-around"
}

teardown() {
  remove_container
  command -v runc >/dev/null && runc --root "$BATS_TEST_TMPDIR/peer" delete --force "$ID" 2>/dev/null
  command -v crun >/dev/null && crun --root "$BATS_TEST_TMPDIR/peer" delete --force "$ID" 2>/dev/null
  :
}

# What differs for a reason:
# - masked directories: ours share one empty file system, with more flags, so that
#   a container ends quickly however many there are;
# - masked files: ours are the host's null device, checked for what it is, not the
#   container's, which an image may have replaced;
# - sysfs: read-only is a flag of our mount, the peers make the file system so, too;
# - cgroup v1: we enter only the hierarchies that something asks for, and show no others;
# - /dev/core: old versions of the peers do not make it;
# - ignored signals: ours are the caller's; Go's runtime, in between, changes them,
#   and not always in the same way;
# - the source of cgroup2's mount: ours and runc's is the configuration's, crun's is "cgroup2";
# - /dev/null's owner: crun gives its standard input to the container's user, even
#   where that is the null device; runc and ours leave a device that others share.
same_text() {
  sed -E "s/$ID/ID/g
    s#^mount (/proc/acpi|/proc/scsi|/sys/firmware|/proc/asound) / .*#mount \1 masked#
    s#^mount (/proc/keys|/proc/kcore|/proc/timer_list|/proc/latency_stats|/proc/timer_stats|/proc/sched_debug) /null .*#mount \1 null#
    s#^(mount /sys / .* sysfs sysfs) r[ow]\$#\1#
    /^status SigIgn:/d
    s#^(mount /sys/fs/cgroup .* cgroup2) cgroup2? #\1 #
    s#^(dev c.*) [0-9]+ [0-9]+ (1, 3 null)\$#\1 \2#
    /^dev link core /d" "$1" |
    if is_cgroup2; then cat; else grep -v '^mount /sys/fs/cgroup\|^cgroup '; fi | sort -u
}

compare_with() { # PEER
  need "$1"
  local peer=$1
  command_is /look-around
  "$peer" --root "$BATS_TEST_TMPDIR/peer" run --bundle "$B" "$ID" </dev/null \
    >"$BATS_TEST_TMPDIR/theirs" 2>"$BATS_TEST_TMPDIR/why" ||
    skip "$peer does not run here: $(head -c 200 "$BATS_TEST_TMPDIR/why")"
  rt run --bundle "$B" "$ID" </dev/null >"$BATS_TEST_TMPDIR/ours"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/ours")" -gt 60 ]
  diff -u <(same_text "$BATS_TEST_TMPDIR/theirs") <(same_text "$BATS_TEST_TMPDIR/ours")
}

rich() {
  configure '.process.user = {uid: 1000, gid: 1000, additionalGids: [50, 60], umask: 23} |
    .process.capabilities = (["bounding", "effective", "permitted", "ambient", "inheritable"] |
      map({key: ., value: ["CAP_NET_RAW", "CAP_KILL"]}) | from_entries) |
    .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0},
      {type: "RLIMIT_NPROC", soft: 300, hard: 300}] |
    .process.cwd = "/tmp" | .process.oomScoreAdj = 321 | .process.noNewPrivileges = true |
    .process.env += ["A=1", "B=x y", "A=2"] | .hostname = "different" | .root.readonly = true |
    .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"} |
    .linux.devices = [{path: "/dev/other", type: "c", major: 1, minor: 3, fileMode: 416, uid: 7, gid: 8}] |
    .mounts += [{destination: "/mnt/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "size=1m", "mode=0711"]},
      {destination: "/mnt/ro", type: "bind", source: "/usr", options: ["rbind", "ro", "nodev"]},
      {destination: "/mnt/file", type: "bind", source: "/etc/hostname", options: ["bind", "nosuid"]}] |
    .linux.maskedPaths += ["/proc/keys", "/sys/firmware", "/no/such/path"] | .linux.readonlyPaths += ["/proc/bus", "/proc/irq"]'
}

@test "the default configuration: as runc" { compare_with runc; }
@test "the default configuration: as crun" { compare_with crun; }

@test "users, limits, capabilities, mounts, devices, sysctls, masks: as runc" {
  rich
  compare_with runc
}

@test "users, limits, capabilities, mounts, devices, sysctls, masks: as crun" {
  rich
  compare_with crun
}
