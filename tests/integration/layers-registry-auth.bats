# SPDX-License-Identifier: Apache-2.0
# Registries that ask who we are: TLS, basic and token authentication, and the files
# of docker and containers that keep the answer.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline
load ../lib/registry

setup() {
  [ -z "${VM_RESULTS:-}" ] || skip "the emulated machine talks to a registry in layers-registry"
  need docker-registry skopeo python3 openssl
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run REGISTRY_AUTH_FILE='' DOCKER_CONFIG=''
  mkdir -p "$HOME"
  cd "$BATS_TEST_TMPDIR" || return 1
  if ! [ -f "$BATS_FILE_TMPDIR/image.tar" ]; then
    echo hello >"$BATS_FILE_TMPDIR/file"
    tar --format=posix -C "$BATS_FILE_TMPDIR" -cf "$BATS_FILE_TMPDIR/image.tar" file
    make_certificate "$BATS_FILE_TMPDIR/tls"
  fi
  tls=$BATS_FILE_TMPDIR/tls
  layers import "tar:$BATS_FILE_TMPDIR/image.tar" web:1
}

teardown() { stop_servers; }

with_tls() { HTTP_YAML="  tls: {certificate: $tls/cert.pem, key: $tls/key.pem}"; }

# alice, with the password "pa:ss word"
with_htpasswd() {
  # shellcheck disable=SC2016 # a hash, not a variable
  echo 'alice:$2y$05$Mf5ptFKHjU28M.blA1xhEe1tIdG5WBRVrT48MsQylCR3Beyg9XGni' >htpasswd
  AUTH_YAML="  htpasswd: {realm: test, path: $PWD/htpasswd}"
}

with_tokens() {
  local port
  port=$(free_port)
  AUTH_YAML="  token: {realm: http://127.0.0.1:$port/token, service: test-service, issuer: test-issuer, rootcertbundle: $tls/cert.pem}"
  start_server "http://127.0.0.1:$port/token?service=ping" token.log \
    "$BATS_TEST_DIRNAME/../lib/token-server" "$port" "$tls/cert.pem" "$tls/key.pem" "$PWD/token-requests"
  : >token-requests
}

log_in() { # WORDS...
  printf 'pa:ss word\n' | layers login -u alice --password-stdin "$@"
}

@test "https with a certificate that nobody has signed: refused, trusted by directory, or not checked" {
  with_tls
  start_registry registry https
  fails_with 1 layers push web:1 "$REGISTRY/web:1"
  [[ $stderr == *certificate* && $stderr == *--cert-dir* ]]
  mkdir certs && cp "$tls/cert.pem" certs/ca.crt
  layers push -q --cert-dir certs web:1 "$REGISTRY/web:1"
  layers pull -q --tls-verify=false "$REGISTRY/web:1"
  mkdir -p "$HOME/.config/containers/certs.d/$REGISTRY"
  cp "$tls/cert.pem" "$HOME/.config/containers/certs.d/$REGISTRY/ca.crt"
  layers tags "$REGISTRY/web"
}

@test "basic: login checks and keeps, others read it; logout forgets" {
  with_htpasswd
  start_registry
  fails_with 1 layers push -q web:1 "$REGISTRY/web:1"
  [[ $stderr == *EACCES* && $stderr == *"layers login $REGISTRY"* ]]
  run -1 layers login -u alice --password-stdin "$REGISTRY" <<<wrong
  [ ! -e run/containers/auth.json ]
  log_in "$REGISTRY"
  [ "$(stat -c %a run/containers/auth.json)" = 600 ]
  layers push -q web:1 "$REGISTRY/web:1"
  skopeo inspect --tls-verify=false "docker://$REGISTRY/web:1" >skopeo.json
  layers logout "$REGISTRY"
  fails_with 1 layers pull "$REGISTRY/web:1"
  layers pull -q --creds 'alice:pa:ss word' "$REGISTRY/web:1"
  fails_with 1 layers pull --creds alice:wrong "$REGISTRY/web:1"
  [[ $stderr != *wrong* ]]
}

@test "what podman and docker have kept is found, and what login adds leaves the rest" {
  with_htpasswd
  start_registry
  layers push -q --creds 'alice:pa:ss word' web:1 "$REGISTRY/team/web:1"
  local auth
  auth=$(printf 'alice:pa:ss word' | base64)
  mkdir -p home/.docker
  printf '{"HttpHeaders":{"x":"y"},"auths":{"https://%s/v1/":{"auth":"%s"}}}' "$REGISTRY" "$auth" >home/.docker/config.json
  layers pull -q "$REGISTRY/team/web:1"
  log_in --authfile home/.docker/config.json "$REGISTRY/team"
  jq -e '.HttpHeaders.x == "y" and (.auths | length == 2)' home/.docker/config.json
  layers logout --all
  jq -e '.auths == {}' home/.docker/config.json
  # The most specific entry, by $REGISTRY_AUTH_FILE.
  printf '{"auths":{"%s":{"auth":"%s"},"%s/team":{"auth":"%s"}}}' "$REGISTRY" "$(printf 'eve:x' | base64)" "$REGISTRY" "$auth" >file.json
  REGISTRY_AUTH_FILE=$PWD/file.json layers pull -q "$REGISTRY/team/web:1"
  REGISTRY_AUTH_FILE=$PWD/file.json fails_with 1 layers pull "$REGISTRY/other/web:1"
  if command -v podman >/dev/null; then
    podman login --tls-verify=false --authfile theirs.json -u alice --password-stdin "$REGISTRY" <<<'pa:ss word' >podman.out
    layers pull -q --authfile theirs.json "$REGISTRY/team/web:1"
  fi
}

@test "credential helpers are asked, and given what login is told" {
  with_htpasswd
  start_registry
  mkdir bin
  cat >bin/docker-credential-test <<'SH'
#!/bin/sh
case $1 in
  get) read -r server; [ -f "$HOME/secret" ] || { echo "credentials not found in native keychain"; exit 1; }
       printf '{"ServerURL":"%s","Username":"alice","Secret":"%s"}' "$server" "$(cat "$HOME/secret")" ;;
  store) sed 's/.*"Secret":"\([^"]*\)".*/\1/' | tr -d '\n' >"$HOME/secret" ;;
  erase) rm "$HOME/secret" ;;
esac
SH
  chmod +x bin/docker-credential-test
  export PATH=$PWD/bin:$PATH
  mkdir home/.docker
  printf '{"credHelpers":{"%s":"test"}}' "$REGISTRY" >home/.docker/config.json
  log_in --authfile home/.docker/config.json "$REGISTRY"
  [ "$(cat home/secret)" = 'pa:ss word' ]
  [ "$(grep -c alice home/.docker/config.json)" = 0 ]
  layers push -q web:1 "$REGISTRY/web:1"
  printf '{"credsStore":"test","auths":{"%s":{}}}' "$REGISTRY" >home/.docker/config.json
  layers pull -q "$REGISTRY/web:1"
  layers logout "$REGISTRY"
  [ ! -e home/secret ]
  fails_with 1 layers pull "$REGISTRY/web:1"
  printf '{"credsStore":"../../bin/evil"}' >home/.docker/config.json
  fails_with 1 layers pull "$REGISTRY/web:1"
}

@test "tokens: asked for once for each right, by name and password or by identity token" {
  with_tokens
  start_registry
  fails_with 1 layers push -q web:1 "$REGISTRY/pub/web:1"
  [[ $stderr == *"layers login"* ]]
  layers login -u alice --password-stdin "$REGISTRY" <<<secret
  run -1 layers login -u alice --password-stdin "$REGISTRY" <<<wrong
  [[ $output == *EACCES* ]]
  : >token-requests
  layers push -q web:1 "$REGISTRY/pub/web:1"
  [ "$(grep -c pull,push token-requests)" = 1 ]
  layers push -q web:1 "$REGISTRY/private/web:1"
  layers copy -q "docker://$REGISTRY/private/web:1" "docker://$REGISTRY/private/mounted:1"
  layers search "$REGISTRY" private/web
  layers logout "$REGISTRY"
  layers pull -q "$REGISTRY/pub/web:1"
  fails_with 1 layers pull "$REGISTRY/private/web:1"
  printf '{"auths":{"%s":{"auth":"%s","identitytoken":"refresh-alice"}}}' "$REGISTRY" "$(printf '0000:' | base64)" >identity.json
  layers pull -q --authfile identity.json "$REGISTRY/private/web:1"
  grep -q '^POST alice' token-requests
}
