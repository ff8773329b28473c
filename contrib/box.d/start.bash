# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # what box sets; programs for jq
# Starting what is in DIR: links first, then shim.

# Detached; back when the container runs.
start_container() {
  local options
  prepare_start
  shim run "${options[@]}" --detach "$ID" </dev/null >/dev/null
}

# Signals go to shim, which stops the container. Of the terminal's it gets its own.
run_in_foreground() {
  local options supervisor status=0
  prepare_start
  shim run "${options[@]}" "$ID" <&0 &
  supervisor=$!
  trap 'kill -HUP "$supervisor"' HUP
  trap : INT
  trap 'kill -TERM "$supervisor"' TERM
  while :; do
    status=0
    wait "$supervisor" || status=$?
    kill -0 "$supervisor" 2>/dev/null || return "$status"
  done
}

prepare_start() { # sets options
  mapfile -t -d '' options <"$DIR/shim-options"
  rm -f "$DIR/exit"
  local link
  while read -r link; do [ -z "$link" ] || apply_link "${link%%:*}" "${link#*:}"; done < <(jq -r '.links[]' "$DIR/box.json")
}

# The variables and the name of another container, with the address that it has now.
apply_link() { # ID ALIAS
  local other=$containers/$1 network address name
  name=$(jq -r .name "$other/box.json" 2>/dev/null) || die "link to '$2': that container was removed; run this one anew"
  [ -e "$running/$1" ] || die "link to '$name': it does not run; start it with: box start $name"
  network=$(jq -r .network "$DIR/box.json")
  address=$(netsetup inspect "$1" 2>/dev/null |
    jq -r --arg network "$network" '.[] | select(.network == $network) | .addresses[0].address | sub("/.*"; "")') || :
  [ -n "$address" ] || die "link to '$name': it is not on the network '$network'; run both with the same --network"
  local config=$DIR/bundle/config.json
  if ! query --arg alias "$2" --arg address "$address" --slurpfile me "$DIR/box.json" --slurpfile it "$other/box.json" \
    --slurpfile its "$other/bundle/config.json" '
      ([$it[0].exposed[] | split("/")]) as $ports
      | link_variables($alias; $me[0].name; $address; $ports; $its[0].process.env) as $new
      | ($new | map(sub("=.*"; "="; "m"))) as $names
      | .process.env |= map(select(. as $old | $names | any(. as $n | $old | startswith($n)) | not)) + $new' \
    <"$config" >"$DIR/config.json.new" || ! mv "$DIR/config.json.new" "$config"; then
    die "link to '$name': its variables cannot be written to '$config'"
  fi
  sed -i "/\t$2\( .*\)\?\t# linked\$/d" "$DIR/bundle/hosts"
  printf '%s\t%s %s\t# linked\n' "$address" "$2" "$name" >>"$DIR/bundle/hosts"
}

# Nobody waits for a container that runs in the background but this.
remove_at_end() { setsid "$self" reap "$ID" </dev/null >/dev/null 2>&1 & }
cmd_reap() { # ID
  shim wait "$1" || :
  ID=$1 DIR=$containers/$1
  remove_container
}
