#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Mounts, devices, masks: what the container finds in its file system.
bats_require_minimum_version 1.5.0

load ../lib/common
load ../lib/runtime

setup() { make_bundle; }
teardown() { remove_container; }

@test "a bind mount takes its options, and its mountpoint is made" {
  mkdir "$BATS_TEST_TMPDIR/data" && echo hello >"$BATS_TEST_TMPDIR/data/f"
  mount_is '{"destination":"/new/dir","type":"bind","source":"'"$BATS_TEST_TMPDIR/data"'","options":["rbind","ro","nosuid","nodev","noexec"]}'
  mount_is '{"destination":"/new/file","type":"bind","source":"'"$BATS_TEST_TMPDIR/data/f"'","options":["bind"]}'
  run -0 run_shell 'cat /new/dir/f /new/file; touch /new/dir/x; grep " /new/dir " /proc/self/mountinfo'
  [[ $output == *$'hello\nhello'* ]]
  [[ $output == *"Read-only file system"* ]]
  [[ $output == *" /new/dir ro,nosuid,nodev,noexec,"* ]]
}

@test "recursive read-only reaches the mounts below" {
  mkdir -p "$BATS_TEST_TMPDIR/data/sub"
  mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/data/sub"
  mount_is '{"destination":"/ro","type":"bind","source":"'"$BATS_TEST_TMPDIR/data"'","options":["rbind","ro"]}'
  mount_is '{"destination":"/rro","type":"bind","source":"'"$BATS_TEST_TMPDIR/data"'","options":["rbind","rro"]}'
  run -0 run_shell 'touch /ro/sub/x && echo written; touch /rro/sub/y || echo refused'
  umount "$BATS_TEST_TMPDIR/data/sub"
  [[ $output == *written* ]] && [[ $output == *refused* ]]
}

@test "propagation: private, slave and shared" {
  mkdir "$BATS_TEST_TMPDIR/data"
  local kind
  for kind in rprivate rslave rshared; do
    mount_is '{"destination":"/'$kind'","type":"bind","source":"'"$BATS_TEST_TMPDIR/data"'","options":["rbind","'$kind'"]}'
  done
  run -0 run_shell 'grep -E " /(rprivate|rslave|rshared) " /proc/self/mountinfo'
  [[ $(grep ' /rshared ' <<<"$output") == *shared:* ]]
  [[ $(grep ' /rprivate ' <<<"$output") != *shared:* ]]
}

@test "a tmpfs begins with the content beneath it when asked" {
  mount_is '{"destination":"/etc","type":"tmpfs","source":"tmpfs","options":["tmpcopyup","ro"]}'
  chmod 0604 "$B/rootfs/etc/group" && ln -s passwd "$B/rootfs/etc/link"
  run -0 run_shell 'cat /etc/link | head -1; stat -c %a /etc/group; touch /etc/x || echo refused'
  [ "$output" = $'root:x:0:0:root:/root:/bin/sh\n604\ntouch: /etc/x: Read-only file system\nrefused' ]
}

@test "the default devices are there and are what they claim" {
  run -0 run_shell 'for d in null zero full random urandom tty; do stat -c "%n %t:%T %a" /dev/$d; done; readlink /dev/ptmx; readlink /dev/fd'
  [ "$output" = $'/dev/null 1:3 666\n/dev/zero 1:5 666\n/dev/full 1:7 666\n/dev/random 1:8 666\n/dev/urandom 1:9 666\n/dev/tty 5:0 666\npts/ptmx\n/proc/self/fd' ]
}

@test "masked paths are empty, read-only paths read-only" {
  run run_shell 'wc -c </proc/keys; ls /sys/firmware | wc -l; touch /sys/firmware/x; echo 1 >/proc/sys/kernel/panic'
  [[ $output == 0$'\n'0* ]]
  [[ $output == *"Read-only file system"* ]]
}

@test "a read-only root" {
  configure '.root.readonly = true'
  run -0 run_shell 'touch /x || echo refused'
  [[ $output == *refused* ]]
}

@test "the host's tree is out of reach" {
  run -0 run_shell 'cat /proc/self/mountinfo'
  [ "$(grep -c ' / / ' <<<"$output")" -le 1 ]
  [[ $output != *" /home "* ]]
}

@test "a mount target that is a link stays inside the root" {
  mkdir "$BATS_TEST_TMPDIR/decoy"
  ln -s "$BATS_TEST_TMPDIR/decoy" "$B/rootfs/link"
  mount_is '{"destination":"/link/sub","type":"tmpfs","source":"tmpfs"}'
  run run_shell true
  [ -z "$(ls "$BATS_TEST_TMPDIR/decoy")" ]
}

@test "idmapped bind mounts show other owners" {
  mkdir "$BATS_TEST_TMPDIR/data" && touch "$BATS_TEST_TMPDIR/data/f"
  mount_is '{"destination":"/data","type":"bind","source":"'"$BATS_TEST_TMPDIR/data"'","options":["bind"],"uidMappings":[{"containerID":0,"hostID":1234,"size":10}],"gidMappings":[{"containerID":0,"hostID":4321,"size":10}]}'
  run run_shell 'stat -c %u:%g /data/f'
  [[ $output != *"idmapped"* ]] || skip "the file system of $BATS_TEST_TMPDIR has no idmapped mounts"
  [ "$output" = 1234:4321 ]
}

@test "two hundred masked directories share one file system" {
  mkdir -p "$B/rootfs/many" && (cd "$B/rootfs/many" && seq 1 200 | xargs mkdir)
  configure '.linux.maskedPaths += [range(1;201) | "/many/\(.)"]'
  run -0 run_shell 'grep " /many/" /proc/self/mountinfo | cut -d" " -f3 | sort -u | wc -l'
  [ "$output" = 1 ]
}

@test "links: copied, mounted or covered instead of followed" {
  local t=$BATS_TEST_TMPDIR
  echo content >"$t/file" && ln -s /etc/passwd "$t/link"
  ln -s /etc/group "$B/rootfs/covered" && ln -s /etc/passwd "$B/rootfs/there"
  mount_is '{"destination":"/new/copied","source":"'"$t"'/link","options":["rbind","copy-symlink","rprivate"]}'
  mount_is '{"destination":"/there","source":"'"$t"'/link","options":["bind","copy-symlink"]}'
  mount_is '{"destination":"/plain","source":"'"$t"'/file","options":["bind","copy-symlink","ro"]}'
  mount_is '{"destination":"/mounted","source":"'"$t"'/link","options":["bind","src-nofollow"]}'
  mount_is '{"destination":"/covered","source":"'"$t"'/file","options":["bind","dest-nofollow","ro","rshared"]}'
  mount_is '{"destination":"/made/here","source":"'"$t"'/file","options":["bind","dest-nofollow"]}'
  run -0 run_shell 'for l in /new/copied /there /mounted; do readlink $l; done; cat /covered /made/here /plain; grep -c : /etc/group; grep -E " /(covered|plain|mounted) " /proc/self/mountinfo | cut -d" " -f5-7 | sort'
  [ "$output" = $'/etc/passwd\n/etc/passwd\n/etc/passwd\ncontent\ncontent\ncontent\n3\n'"${lines[7]}"$'\n'"${lines[8]}"$'\n'"${lines[9]}" ]
  [[ ${lines[7]} == "/covered ro,"*" shared:"* && ${lines[8]} == /mounted* && ${lines[9]} == "/plain ro,"* ]]
  [ ! -L "$B/rootfs/new/copied" ] || [ "$(readlink "$B/rootfs/new/copied")" = /etc/passwd ]
}

@test "copy-symlink: a destination that is something else is an error" {
  ln -s /etc/passwd "$BATS_TEST_TMPDIR/link"
  ln -s /etc/group "$B/rootfs/there"
  mount_is '{"destination":"/there","source":"'"$BATS_TEST_TMPDIR"'/link","options":["bind","copy-symlink"]}'
  run -1 run_shell true
  [[ $output == *"/mounts/"*EEXIST* || $output == *EEXIST*"/mounts/"* ]]
}

@test "options longer than the kernel's configuration call takes: mounted all the same" {
  [ "$(id -u)" = 0 ] && grep -qw overlay /proc/filesystems || modprobe overlay || skip "the kernel has no overlay"
  local t=$BATS_TEST_TMPDIR lower= i
  for i in {1..30}; do
    mkdir -p "$t/layer$i" && echo "$i" >"$t/layer$i/file$i"
    lower=$lower:$t/layer$i
  done
  mkdir "$t/upper" "$t/work"
  [ "${#lower}" -gt 600 ]
  configure --arg lower "${lower#:}" --arg t "$t" '.mounts += [
    {destination: "/over", type: "overlay", source: "overlay", options: ["nosuid", "dirsync", "lowerdir=\($lower)"]},
    {destination: "/rw", type: "overlay", source: "overlay", options: ["lowerdir=\($lower)", "upperdir=\($t)/upper", "workdir=\($t)/work"]}]'
  run -0 run_shell 'cat /over/file1 /over/file30; touch /over/x || echo refused; echo new >/rw/x; grep -c " /m " /proc/self/mountinfo; grep " /over " /proc/self/mountinfo; ls /'
  [[ $output == *$'1\n30\n'*refused$'\n0\n'*" /over rw,nosuid,"* ]]
  [ "$(cat "$t/upper/x")" = new ]
  [ ! -e "$B/rootfs/m" ]
  configure '.mounts[-1].options = ["lowerdir=" + ("x" * 5000)]'
  run -1 run_shell true
  [[ $output == *"/mounts/"*"the kernel takes 4095"* ]]
}

@test "remount changes the mount that is there" {
  mkdir "$BATS_TEST_TMPDIR/data"
  mount_is '{"destination":"/data","source":"'"$BATS_TEST_TMPDIR/data"'","options":["bind","nosuid"]}'
  mount_is '{"destination":"/data","options":["remount","bind","ro","nodev","suid"]}'
  run -0 run_shell 'grep " /data " /proc/self/mountinfo; touch /data/x || echo refused'
  [[ ${lines[0]} == *" /data ro,nodev,"* && ${lines[0]} != *nosuid* ]]
  [ "$(grep -c " /data " <<<"$output")" = 1 ]
  [[ $output == *refused ]]
  mount_is '{"destination":"/data","options":["remount","size=3"]}'
  run -1 run_shell true
  [[ $output == *"/mounts/"*"'size=3' has no place here"* ]]
}
