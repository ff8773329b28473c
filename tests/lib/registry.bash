# SPDX-License-Identifier: Apache-2.0
# registry.bash - docker-registry on the local host for the time of one test.
#   start_registry [NAME [SCHEME]]   sets REGISTRY=127.0.0.1:PORT; $HTTP_YAML goes under
#                                    "http:" of its configuration, $AUTH_YAML under "auth:"
#   stop_servers                     in teardown

SERVER_PIDS=()

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

answers() { # URL
  curl -sk -o "$BATS_TEST_TMPDIR/ping" --noproxy '*' --max-time 5 "$1"
}

answers_or_ended() { answers "$1" || ! kill -0 "$2" 2>/dev/null; }

# start_server URL LOG COMMAND... : in the background, once it answers.
start_server() {
  local url=$1 log=$2
  shift 2
  "$@" >"$log" 2>&1 3>&- &
  SERVER_PIDS+=($!)
  eventually answers_or_ended "$url" $!
  answers "$url" || { cat "$log"; return 1; }
}

start_registry() { # [NAME [SCHEME]]
  local name=${1:-registry} scheme=${2:-http} port
  local dir=$BATS_TEST_TMPDIR/$name
  port=$(free_port)
  mkdir -p "$dir"
  {
    echo "version: 0.1"
    echo "log: {level: error, accesslog: {disabled: true}}"
    echo "storage: {filesystem: {rootdirectory: $dir}, delete: {enabled: true}}"
    printf 'http:\n  addr: 127.0.0.1:%s\n  secret: not-a-secret\n%s\n' "$port" "${HTTP_YAML:-}"
    [ -z "${AUTH_YAML:-}" ] || printf 'auth:\n%s\n' "$AUTH_YAML"
  } >"$dir.yml"
  REGISTRY=127.0.0.1:$port
  # It takes REGISTRY_* for words of its own configuration.
  start_server "$scheme://$REGISTRY/v2/" "$dir.log" env -u REGISTRY_AUTH_FILE docker-registry serve "$dir.yml"
}

# A certificate for 127.0.0.1 that nobody has signed: DIR/cert.pem and DIR/key.pem
make_certificate() { # DIR
  mkdir -p "$1"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$1/key.pem" -out "$1/cert.pem" 2>"$1/log"
}

stop_servers() {
  local pid
  for pid in "${SERVER_PIDS[@]}"; do
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null || :
  done
  SERVER_PIDS=()
}

# Blobs and half-made things of the store; a failed pull must not change them.
store_listing() { find "$LAYERS_STORE" -mindepth 1 ! -name lock | sort; }
