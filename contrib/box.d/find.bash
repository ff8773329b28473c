# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # what box sets; programs for jq
# Finding containers, and showing them.

# find_container NAME-OR-ID : sets ID and DIR.
find_container() {
  local found
  if [[ $1 =~ ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ ]]; then
    ID=$(readlink "$BOX_DIR/names/$1") && ID=${ID##*/} && DIR=$containers/$ID && return
    found=("$containers/$1"*/)
    [ "${#found[@]}" -le 1 ] || die "'$1' is the beginning of ${#found[@]} ids; say more of it"
    if [ "${#found[@]}" -eq 1 ]; then
      DIR=${found[0]%/} ID=${DIR##*/}
      return
    fi
  fi
  die "no container '$1'; see them with: box ps -a"
}

is_running() { [ -e "$running/$ID" ]; }
need_running() { # NAME
  is_running || die "container '$1' does not run; start it with: box start $1"
}
exit_status() { cat "$DIR/exit" 2>/dev/null || echo 0; }
name_of() { jq -r .name "$DIR/box.json"; }

# All that is known, as one JSON array. What goes away meanwhile is left out.
all_containers() {
  local files=("$containers"/*/box.json)
  [ "${#files[@]}" -gt 0 ] || { echo '[]' && return; }
  {
    local file at
    find "$containers" -mindepth 2 -maxdepth 2 -name exit -printf '%p %T@\n' | while read -r file at; do
      printf '{"kind":"exit","id":"%s","at":%s,"status":"%s"}\n' "${file:${#containers}+1}" "$at" "$(<"$file")"
    done
    shim ps --json | jq -c '{kind: "shim"} + .'
    netsetup ls --json | jq -c '.[] | {kind: "network"} + .'
    cat "${files[@]}" 2>/dev/null || :
  } | query -s 'merge'
}

#: ps [-a] [-q] [-l] [--no-trunc]        list containers; -a: also those that have ended
cmd_ps() {
  parse "a:all q:quiet l:latest no-trunc" "$@"
  operands 0 0 "no operand"
  local show=table length=12 which=running
  if has --quiet; then show=quiet; fi
  if has --no-trunc; then length=64; fi
  if has --all; then which=all; fi
  if has --latest; then which=latest; fi
  all_containers | query -r --arg show "$show" --arg which "$which" --argjson length "$length" 'containers'
}

#: inspect [-f FORMAT] NAME...           all about containers or images, as JSON
cmd_inspect() {
  parse "f:format= s:size type=" "$@"
  operands 1 1000 "a container or an image"
  local name all format
  format=$(value_of --format)
  all=$(all_containers)
  for name in "${REST[@]}"; do
    if (find_container "$name") 2>/dev/null; then
      find_container "$name"
      query --arg id "$ID" --slurpfile config "$DIR/bundle/config.json" --arg dir "$DIR" \
        'map(select(.id == $id))[0] | inspected($config[0]; $dir)' <<<"$all"
    else
      layers inspect "$name" 2>/dev/null || die "no container and no image '$name'; see: box ps -a, box images"
    fi
  done | if [ -n "$format" ]; then query -r --arg format "$format" 'filled($format)'; else jq -s .; fi
}

#: port NAME [PORT]                      where its ports are published
cmd_port() {
  parse "" "$@"
  operands 1 2 "a container"
  find_container "${REST[0]}"
  need_running "${REST[0]}"
  local out
  out=$(netsetup inspect "$ID" 2>/dev/null | query -r --arg port "${REST[1]-}" 'published($port)') || :
  [ -z "${REST[1]-}" ] || [ -n "$out" ] || die "container '${REST[0]}' does not publish port '${REST[1]}'"
  [ -z "$out" ] || echo "$out"
}

#: stats [NAME]...                       what containers use, once
cmd_stats() {
  parse "no-stream a:all" "$@"
  local ids=() name
  for name in "${REST[@]}"; do find_container "$name" && need_running "$name" && ids+=("$ID"); done
  if [ "${#ids[@]}" -eq 0 ]; then
    local files=("$containers"/*/box.json)
    for name in "${files[@]}"; do
      ID=$(basename "${name%/box.json}")
      if is_running; then ids+=("$ID"); fi
    done
  fi
  {
    [ "${#ids[@]}" -eq 0 ] || shim stats --format json "${ids[@]}"
    cat /dev/null "$containers"/*/box.json
  } | query -s -r 'statistics'
}
