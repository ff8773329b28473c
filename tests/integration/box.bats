#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# contrib/box: the command lines that users of docker know, on our executables.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline
load ../lib/registry

setup_file() { make_store; }

# In the emulated machine a minute of this takes ten: there one life has to do.
here_only() { [ -z "${VM_RESULTS:-}" ] || skip "the emulated machine sees a container's life only"; }

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  PATH=$BATS_TEST_DIRNAME/../../contrib:$PATH
  export BOX_DIR=$BATS_TEST_TMPDIR/box BOX_NETWORK=b$RANDOM
  export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run REGISTRY_AUTH_FILE=
  remember_host_state
}

teardown() {
  local all
  stop_servers
  mapfile -t all < <(box ps -aq)
  [ "${#all[@]}" -eq 0 ] || box rm -f "${all[@]}" >&2
  ! grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo
}

# Nothing of a container is left, neither with us nor on the host.
nothing_left() {
  [ -z "$(ls "$BOX_DIR/containers" "$BOX_DIR/names" 2>/dev/null | grep -v ':$')" ] || { find "$BOX_DIR" && return 1; }
  [ -z "$(ls "$LAYERS_STORE/bundles")" ]
  assert_host_state_unchanged
}
ended() { [ "$(box inspect -f '{{.State.Status}}' "$1")" = exited ]; }
column_of() { awk -v n="$1" -v c="$2" '$NF == n || $1 == n {print $c}'; }

# An image that says WHAT.
build_image() { # NAME WHAT
  printf 'FROM busybox:1\nRUN echo %s >/said\nCMD ["cat", "/said"]\n' "$2" | box build -q -t "$1" - 2>log
}

@test "images: build, tag, push, search, rmi, pull, images --tree, history, rollback to latest-1" {
  here_only
  start_registry
  build_image hello one
  box images | grep -E '^hello +latest +[0-9a-f]{12} +[0-9]+ seconds? ago +'
  box tag hello "$REGISTRY/me/hello"
  box push -q "$REGISTRY/me/hello"
  [ "$(box search "$REGISTRY/hel" | tail -n 1)" = "$REGISTRY/me/hello" ]
  box rmi hello "$REGISTRY/me/hello"
  run -1 box run --rm hello
  box pull -q "$REGISTRY/me/hello"
  [ "$(box run --rm hello)" = one ]
  box tag "$REGISTRY/me/hello" hello
  [ "$(box images -q hello)" = "$(box images -q "$REGISTRY/me/hello")" ]
  # docker's first versions had one dash before long options.
  box images -tree | grep -q 'hello:latest'
  box history hello | grep -q 'RUN echo one'

  build_image hello two
  build_image hello three
  [ "$(box run --rm hello)" = three ]
  [ "$(box run --rm hello:latest-1)" = two ]
  [ "$(box run --rm hello:latest-2)" = one ]
  box rollback hello
  [ "$(box run --rm hello)" = two ]
  [ "$(box run --rm hello:latest-1)" = three ]
  box rollback hello 2
  [ "$(box run --rm hello)" = one ]
  fails_with 1 box rollback hello 7
  says "no image 'hello:latest-7'" "box images hello"
  nothing_left
}

@test "a container's life: run, ps, logs, exec, top, port, inspect, stop, start, diff, commit, wait, rm" {
  port=$(free_port)
  mkdir data && echo from-host >data/file
  # shellcheck disable=SC2016 # the container's shell expands it
  id=$(box run -d -name web -h front -p "$port:80" -v "$PWD/data:/data:ro" -v kept:/kept -e A=1 -w /www -u 0 \
    busybox:1 sh -c 'echo "$A $(hostname) $PWD $(cat /data/file)"; echo error >&2; echo k >/kept/k; rm /etc/group
      echo new >/new; exec httpd -f -p 80' 3>&-)
  [[ $id =~ ^[0-9a-f]{64}$ ]]
  eventually curl -sf -o page --max-time 5 "http://127.0.0.1:$port/"
  box ps >list
  [ "$(box ps -q)" = "${id:0:12}" ] && [ "$(box ps -q --no-trunc)" = "$id" ]
  grep -E "^${id:0:12} +busybox:1 +\"sh -c .* Up [0-9]+ seconds? +0.0.0.0:$port->80/tcp +web\$" list
  [ "$(box port web 80)" = "0.0.0.0:$port" ] && [ "$(box port web)" = "80/tcp -> 0.0.0.0:$port" ]
  [ "$(box logs web 2>err)" = "1 front /www from-host" ] && [ "$(cat err)" = error ]
  [ "$(cat "$BOX_DIR/volumes/kept/k")" = k ]
  [ "$(box exec -e B=2 -w /tmp "${id:0:6}" sh -c 'echo $B $PWD')" = '2 /tmp' ]
  [ "$(echo in | box exec -i web cat)" = in ] && [ -z "$(echo in | box exec web cat)" ]
  run -3 box exec web sh -c 'exit 3'
  box top web | grep -q 'httpd -f'
  box stats web | grep -q "^${id:0:12} *web"
  [ "$(box inspect -f '{{.Name}} {{json .State.Running}}' web)" = '/web true' ]
  box exec web ip -4 addr show eth0 | grep -qF " $(box inspect -f '{{.NetworkSettings.IPAddress}}' web)/"
  fails_with 1 box rm web
  says "container 'web' runs" 'box stop web'

  [ "$(box stop -t 0 web)" = web ]
  [ -z "$(box ps -q)" ]
  box ps -a | grep -E 'Exited \(137\) [0-9]+ seconds? ago +web$'
  [ "$(box wait web)" = 137 ]
  [ "$(box logs --tail 1 web 2>&1)" = error ]
  run ! curl -sf --max-time 5 "http://127.0.0.1:$port/"
  box start web 3>&-
  eventually curl -sf -o page --max-time 5 "http://127.0.0.1:$port/"
  box diff web >changes
  grep -qx 'A /new' changes && grep -qx 'D /etc/group' changes
  box commit -m why -a me web changed
  [ "$(box run --rm changed cat /new)" = new ]
  [ "$(box inspect changed | jq -r '.[0].config.history[-1].comment')" = why ]
  box kill web
  eventually ended web
  [ "$(box rm web)" = web ]
  fails_with 1 box logs web
  says "no container 'web'" 'box ps -a'
  nothing_left
}

@test "links: a front end finds its server by name and by variables, also after a restart" {
  here_only
  printf 'FROM busybox:1\nENV SECRET=x\nEXPOSE 80\nCMD httpd -f -p 80 -h /www\n' | box build -q -t server - 2>log
  box run -d -name db server 3>&-
  box run -d --name front --link db:my-db busybox:1 sh -c \
    'env; grep my-db /etc/hosts; until wget -qO- http://my-db/; do :; done; wget -qO- "http://$MY_DB_PORT_80_TCP_ADDR:$MY_DB_PORT_80_TCP_PORT/"' 3>&-
  [ "$(box wait front)" = 0 ]
  address=$(box inspect -f '{{.NetworkSettings.IPAddress}}' db)
  box logs front >out
  for line in "MY_DB_PORT=tcp://$address:80" "MY_DB_PORT_80_TCP_PROTO=tcp" "MY_DB_NAME=/front/my-db" MY_DB_ENV_SECRET=x; do
    grep -qx "$line" out
  done
  [ "$(grep -c 'It runs' out)" -eq 2 ]
  # Another address: what it knows of the other is made anew.
  box stop -t 0 db
  fails_with 1 box start front
  says "link to 'db'" 'box start db'
  other=$(box run -d --name other busybox:1 sleep 1000 3>&-)
  box start db 3>&-
  new=$(box inspect -f '{{.NetworkSettings.IPAddress}}' db)
  box start front 3>&-
  [ "$(box wait front)" = 0 ]
  [ "$(box logs front | grep MY_DB_PORT= | tail -n 1)" = "MY_DB_PORT=tcp://$new:80" ]
  [ "$(grep -c my-db "$BOX_DIR/names/front/bundle/hosts")" -eq 1 ]
  box rm -f front db "${other:0:12}"
  nothing_left
}

@test "the classic example: redis from a Dockerfile, and a web front end linked to it" {
  here_only
  need redis-server
  mkdir -p redis/root front
  cp --parents -L /usr/bin/redis-server $(ldd /usr/bin/redis-server | grep -o '/[^ ]*') redis/root
  cat >redis/Dockerfile <<'END'
FROM busybox:1
COPY root /
EXPOSE 6379
ENTRYPOINT ["/usr/bin/redis-server", "--protected-mode", "no", "--save", ""]
END
  cat >front/Dockerfile <<'END'
FROM busybox:1
COPY --chmod=755 <<"EOF" /www/cgi-bin/hits
#!/bin/sh
printf 'Content-type: text/plain\n\n'
printf 'INCR hits\r\nQUIT\r\n' | nc "$DB_PORT_6379_TCP_ADDR" "$DB_PORT_6379_TCP_PORT"
EOF
EXPOSE 80
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
END
  box build -q -t me/redis redis
  box build -q -t me/front front
  port=$(free_port)
  box run -d -name redis me/redis 3>&-
  box run -d -link redis:db -p "$port:80" -name front me/front 3>&-
  eventually hit
  first=$(sed -n 's/^://p' hits)
  hit
  [ "$(sed -n 's/^://p' hits)" -eq $((first + 1)) ]
  box logs redis | grep -q 'Ready to accept connections'
  box rm -f front redis
  nothing_left
}

hit() { curl -sf --max-time 5 "http://127.0.0.1:$port/cgi-bin/hits" | tr -d '\r' >hits && grep -q '^:' hits; }

@test "run in the foreground: status, streams, input, terminal, signals, --rm, --restart" {
  here_only
  run -7 box run --rm busybox:1 sh -c 'exit 7'
  run -0 --separate-stderr box run --rm busybox:1 sh -c 'echo out; echo err >&2'
  [ "$output" = out ] && [ "$stderr" = err ]
  [ "$(echo in | box run -i --rm busybox:1 cat)" = in ]
  [ "$(box run -t --rm busybox:1 tty </dev/null | tr -d '\r')" = /dev/pts/0 ]
  [ "$(box run --rm --entrypoint echo busybox:1 words)" = words ]
  printf '# words\nE=from file\n' >env
  [ "$(box run --rm --env-file env --network none busybox:1 sh -c 'echo $E; ip -o link | wc -l')" = $'from file\n1' ]
  [ "$(box run --rm -v /data -v ./env:/env:ro busybox:1 sh -c 'echo kept >/data/f && cat /data/f && tail -n 1 /env')" = $'kept\nE=from file' ]
  box run --name fore busybox:1 sh -c 'trap "echo told; exit 9" TERM; echo up; while :; do sleep 1 & wait $!; done' >out 3>&- &
  supervisor=$!
  eventually grep -qs up out
  kill -TERM "$supervisor"
  status=0
  wait "$supervisor" || status=$?
  [ "$status" -eq 9 ] && grep -q told out && [ "$(box wait fore)" = 9 ]
  box rm fore
  box create -i --name later busybox:1 sh -c 'read -r word; echo "got $word"; exit 4'
  [ "$(box inspect -f '{{.State.Status}}' later)" = created ] && [ -z "$(box ps -q)" ]
  box start later 3>&-
  run -4 box attach later <<<word
  [ "$output" = 'got word' ] && [ "$(box wait later)" = 4 ]
  box restart -t 0 later 3>&-
  [ "$(box inspect -f '{{.State.Running}}' later)" = true ]
  box rm -f later
  # One in the background, too, goes by itself.
  box run -d --rm --name gone busybox:1 true 3>&-
  eventually is_gone
  box run -d --name again --restart on-failure:2 busybox:1 sh -c 'echo once; exit 1' 3>&-
  eventually ended again
  [ "$(box logs again | grep -c once)" -eq 3 ]
  box rm again
  nothing_left
}

is_gone() { ! box inspect gone >/dev/null 2>&1; }

@test "what fails says why, and leaves nothing" {
  here_only
  fails_with 127 box run --name a busybox:1 /nosuch
  says '/nosuch' 'no such file or directory'
  port=$(free_port)
  box run -d --name one -p "$port:80" busybox:1 sleep 1000 3>&-
  fails_with 1 box run -d --name two -p "$port:80" busybox:1 sleep 1000
  says "port $port/tcp" EADDRINUSE
  fails_with 1 box run -d --name one busybox:1 true
  says "the name 'one' is taken" 'box rm one'
  fails_with 1 box run --link one:x --network other busybox:1 true
  says "link to 'one'" "'other'"
  fails_with 1 box run --link nobody busybox:1 true
  says "no container 'nobody'"
  fails_with 1 box run 127.0.0.1:1/none
  says '127.0.0.1' ECONNREFUSED
  fails_with 1 box run -v 'a b:/x' busybox:1 true
  fails_with 1 box run --memory much busybox:1 true
  fails_with 1 box run --name ../x busybox:1 true
  fails_with 2 box run --nosuch busybox:1
  says "unknown option '--nosuch'"
  fails_with 2 box run --name
  fails_with 2 box run
  fails_with 2 box nosuch
  [ "$(box ps -aq | wc -l)" -eq 1 ]
  [ "$(netsetup ls --json | jq --arg n "$BOX_NETWORK" 'map(select(.network == $n)) | length')" -eq 1 ]
  box rm -f one
  nothing_left
}

@test "the list of commands names every command, and so does the page" {
  here_only
  local word
  diff <(box help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort) \
    <(sed -n 's/^cmd_\([a-z]*\)().*/\1/p' "$(command -v box)" "$(dirname "$(command -v box)")"/box.d/*.bash | grep -vx reap | sort)
  for word in $(box help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    grep -q "^    box $word" "$BATS_TEST_DIRNAME/../../man/box.1.md" || { echo "$word is not in box(1)" && return 1; }
  done
}
