# SPDX-License-Identifier: Apache-2.0
# layers build: Dockerfiles become images.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup() {
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  cd "$BATS_TEST_TMPDIR" || return 1
  make_busybox_rootfs root
  tar -C root -cf root.tar .
  layers import tar:root.tar base:1
  layers config --env PATH=/bin base:1
  mkdir context
}

teardown() { ! grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo; }

dockerfile() { cat >context/Dockerfile; }
build() { layers build -t out:1 "$@" context; }
unpacked() { rm -rf out && layers unpack out:1 out; }
config_of() { layers inspect out:1 | jq -c ".config.config$1"; }

@test "stages, arguments, configuration and commands" {
  echo hello >context/greeting
  dockerfile <<'EOF'
# syntax=docker/dockerfile:1
ARG BASE=base
FROM $BASE:1 AS builder
ARG WHO=nobody
ENV A=1 B="two words" C=$A
WORKDIR /src
COPY greeting .
RUN cat greeting >made && echo "$WHO $B" >>made && \
    # a comment in between
    mkdir -p sub && echo deep >sub/file

FROM base:1
LABEL one=1 "two"="2 3"
COPY --from=builder --chown=alice:staff /src/made /app/
COPY --from=builder --chmod=700 /src/sub /app/sub
USER alice
WORKDIR relative
EXPOSE 80 53/udp
VOLUME ["/data"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=1m30s --retries=2 CMD wget -q localhost
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["cat"]
CMD ["/app/made"]
EOF
  build --build-arg WHO=me 2>log
  grep -q '^\[builder\] RUN cat greeting' log
  unpacked
  [ "$(cat out/app/made)" = "hello
me two words" ]
  [ "$(stat -c '%u:%g' out/app/made)" = 1000:50 ]
  [ "$(stat -c '%a' out/app/sub/file)" = 700 ]
  [ -d out/relative ]
  [ ! -e out/src ]
  [ "$(config_of .Labels)" = '{"one":"1","two":"2 3"}' ]
  [ "$(config_of .ExposedPorts)" = '{"53/udp":{},"80/tcp":{}}' ]
  [ "$(config_of .Healthcheck)" = '{"Interval":90000000000,"Retries":2,"Test":["CMD-SHELL","wget -q localhost"]}' ]
  [ "$(config_of '|[.User,.WorkingDir,.StopSignal,.Volumes,.Entrypoint,.Cmd]')" = '["alice","/relative","SIGINT",{"/data":{}},["cat"],["/app/made"]]' ]
  # The image starts.
  layers bundle out:1 bundle
  run -0 runc-like --root "$PWD/state" run --bundle bundle "$(unique_id)" </dev/null
  layers bundle --remove bundle
  [ "${lines[0]}" = hello ]
}

@test "the second build takes every step from before; a change only what follows it" {
  echo one >context/a
  echo two >context/b
  dockerfile <<'EOF'
FROM base:1
COPY a /a
RUN cat /a >/from-a
COPY b /b
EOF
  build 2>log
  run ! grep -q 'as before' log
  touch context/a
  build 2>log
  [ "$(grep -c 'as before' log)" -eq 3 ]
  echo changed >context/b
  build 2>log
  [ "$(grep -c 'as before' log)" -eq 2 ]
  echo changed >context/a
  build 2>log
  run ! grep -q 'as before' log
  build --no-cache 2>log
  run ! grep -q 'as before' log
  unpacked
  [ "$(cat out/from-a)" = changed ]
}

@test "reproducible: the same files and SOURCE_DATE_EPOCH give the same digest" {
  echo one >context/a
  dockerfile <<'EOF'
FROM base:1
COPY a /a
RUN echo made >/made
EOF
  export SOURCE_DATE_EPOCH=1600000000
  first=$(build -q)
  LAYERS_STORE=$PWD/second layers import "oci:$LAYERS_STORE:base:1" base:1 >&2
  touch -d @1700000000 context/a
  [ "$(LAYERS_STORE=$PWD/second build -q --no-cache)" = "$first" ]
}

@test "COPY and ADD: patterns, ignore files, archives, here-documents, addresses" {
  mkdir -p context/dir/sub context/skip
  echo 1 >context/dir/one.txt; echo 2 >context/dir/two.txt; echo 3 >context/dir/three.log
  echo 4 >context/dir/sub/four.txt; echo x >context/skip/x; echo keep >context/skip/keep
  ln -s one.txt context/dir/link
  tar -C context/dir -czf context/files.tar.gz .
  printf '*.log\n**/*.log\nskip/*\n!skip/keep\n' >context/.dockerignore
  dockerfile <<'EOF'
FROM base:1
ARG NAME=world
COPY dir/*.txt /texts/
COPY dir /dir
COPY --exclude=sub dir/ /partly/
COPY skip /skip
ADD files.tar.gz /unpacked/
COPY files.tar.gz /packed/
COPY <<one <<"two" /docs/
hello $NAME
one
hello $NAME
two
RUN <<EOT
echo first >/first
echo second >/second
EOT
EOF
  build
  unpacked
  [ "$(ls out/texts)" = "one.txt
two.txt" ]
  [ "$(cd out/dir && find . | sort | tr '\n' ' ')" = ". ./link ./one.txt ./sub ./sub/four.txt ./two.txt " ]
  [ "$(readlink out/dir/link)" = one.txt ]
  [ ! -e out/partly/sub ] && [ -e out/partly/one.txt ]
  [ "$(ls out/skip)" = keep ]
  [ -e out/unpacked/three.log ] && [ -e out/packed/files.tar.gz ]
  [ "$(cat out/docs/one out/docs/two)" = 'hello world
hello $NAME' ]
  [ "$(cat out/first out/second)" = "first
second" ]
}

@test "RUN with mounts: bind, cache, tmpfs, secret; nothing of them stays" {
  echo from-context >context/file
  echo hidden >secret
  dockerfile <<'EOF'
FROM base:1 AS other
RUN echo from-stage >/stage
FROM base:1
RUN --mount=type=bind,source=file,target=/in/file \
    --mount=type=bind,from=other,source=stage,target=/in/stage \
    --mount=type=tmpfs,target=/scratch \
    --mount=type=secret,id=token \
    --mount=type=cache,target=/root/.cache/x \
    cat /in/file /in/stage /run/secrets/token >/out && echo t >/scratch/t && \
    echo again >>/root/.cache/x/count && cp /root/.cache/x/count /count
EOF
  build --secret id=token,src=secret
  build --no-cache --secret id=token,src=secret
  unpacked
  [ "$(cat out/out)" = "from-context
from-stage
hidden" ]
  [ "$(cat out/count)" = "again
again" ]
  [ ! -e out/in ] && [ ! -e out/scratch ] && [ ! -e out/root/.cache ] && [ ! -e out/run/secrets ]
  run ! grep -r hidden "$LAYERS_STORE/cache"
}

@test "scratch, ONBUILD, targets" {
  cp root/bin/busybox context/busybox
  dockerfile <<'EOF'
FROM scratch AS tool
COPY busybox /busybox
ENTRYPOINT ["/busybox"]
ONBUILD COPY busybox /again
FROM nothing-of-the-kind AS never
RUN false
EOF
  build --target tool
  [ "$(layers inspect out:1 | jq '.manifest.layers | length')" -eq 1 ]
  layers tag out:1 parent:1
  echo 'FROM parent:1' | layers build -t out:1 -f - context
  unpacked
  cmp out/again out/busybox
  [ "$(config_of .OnBuild)" = null ]
}

@test "errors name file, line and instruction, and leave nothing" {
  dockerfile <<'EOF'
FROM base:1

RUN true
RUN echo out && exit 7
EOF
  run -1 --separate-stderr build
  [[ "$stderr" == *"Dockerfile:4: RUN: the command ended with status 7"* ]]
  printf 'FROM base:1\nCOPY missing /x\n' | dockerfile
  run -1 --separate-stderr build
  [[ "$stderr" == *"Dockerfile:2: COPY: 'missing' is not in the build context"* ]]
  printf 'FROM base:1\nCOPPY a b\n' | dockerfile
  run -1 --separate-stderr build
  [[ "$stderr" == *"Dockerfile:2: unknown instruction 'COPPY'"*"did you mean 'COPY'"* ]]
  printf 'FROM absent:1\n' | dockerfile
  run -1 --separate-stderr build --pull=false
  [[ "$stderr" == *"Dockerfile:1: FROM absent:1"*"no image 'absent:1'"* ]]
  printf 'FROM 127.0.0.1:1/absent:1\n' | dockerfile
  run -1 --separate-stderr build
  [[ "$stderr" == *"FROM 127.0.0.1:1/absent:1: it is not in the store; pull: "*ECONNREFUSED* ]]
  [ "$(find "$LAYERS_STORE/tmp" -mindepth 1 | wc -l)" -eq 0 ]
  layers verify
}

@test "no source leads out of the context, no target out of the root" {
  echo secret >outside
  mkdir context/dir
  ln -s ../outside context/up
  ln -s "$PWD/outside" context/absolute
  ln -s /etc context/dir/etc
  local word
  for word in up absolute ../outside dir/etc/passwd; do
    printf 'FROM base:1\nCOPY %s /stolen\n' "$word" | dockerfile
    run build
    [ "$status" -eq 1 ]
  done
  # A stage's links lead nowhere but into that stage, or the root that is written.
  mkdir victim
  echo file >context/file
  cat >context/Dockerfile <<EOF
FROM base:1 AS evil
RUN ln -s $PWD/outside /link && ln -s $PWD/victim /dir
FROM base:1
COPY --from=evil /dir /dir
COPY file /dir/x
EOF
  run build
  [ -z "$(ls -A victim)" ]
  printf 'FROM base:1 AS evil\nRUN ln -s %s /link\nFROM base:1\nCOPY --from=evil /link /stolen\n' "$PWD/outside" | dockerfile
  run -1 build
  # ADD of a hostile archive.
  python3 - <<'PY'
import tarfile, io
with tarfile.open("context/evil.tar", "w") as t:
    m = tarfile.TarInfo("l"); m.type = tarfile.SYMTYPE; m.linkname = "../../../../../../" + __import__("os").getcwd() + "/victim"; t.addfile(m)
    for name in ("l/x", "../../../../../../../../" + __import__("os").getcwd() + "/victim/y"):
        m = tarfile.TarInfo(name); m.size = 1; t.addfile(m, io.BytesIO(b"x"))
PY
  printf 'FROM base:1\nADD evil.tar /into/\n' | dockerfile
  run build
  [ -z "$(ls -A victim)" ]
}
