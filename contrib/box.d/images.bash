# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Commands about images: layers does the work.
#
# A new image that takes the name NAME:latest makes the old one NAME:latest-1, that
# one latest-2 and so on, up to $BOX_KEEP; `box rollback` takes them back.
BOX_KEEP=${BOX_KEEP:-3}
REGISTRY_SPEC="tls-verify plain-http authfile= creds= cert-dir= retry= j:jobs= q:quiet platform="

image_digest() { layers inspect "$1" 2>/dev/null | jq -r .digest; } # IMAGE : or nothing

full_name() { # NAME[:TAG] : with its tag
  case ${1##*/} in *[:@]*) echo "$1" ;; *) echo "$1:latest" ;; esac
}

# Runs a command that gives NAME to an image; the one that had it before is kept.
naming() { # NAME COMMAND...
  local name before status=0
  name=$(full_name "$1")
  before=$(image_digest "$name") || before=
  case $name in *:latest) ;; *) before= ;; esac
  # An image without a name would be gone.
  [ -z "$before" ] || give "$name" "$name-0"
  "${@:2}" || status=$?
  [ -n "$before" ] || return "$status"
  [ "$before" = "$(image_digest "$name")" ] || [ "$BOX_KEEP" -lt 1 ] || shift_names "$name" "$BOX_KEEP"
  layers untag "$name-0"
  return "$status"
}

give() { layers tag "$1" "$2" 2>/dev/null; } # IMAGE NAME

# What was NAME-0 is NAME-1, and so on up to NAME-N.
shift_names() { # NAME N
  local n
  for ((n = $2; n > 0; n--)); do give "$1-$((n - 1))" "$1-$n" || [ "$n" -gt 1 ]; done
}

#: search [REGISTRY/]TEXT                repositories of a registry ($BOX_REGISTRY)
cmd_search() {
  parse "$REGISTRY_SPEC" "$@"
  operands 1 1 "one text to look for"
  local registry=${BOX_REGISTRY:-docker.io} text=${REST[0]}
  case $text in */*) registry=${text%%/*} text=${text#*/} ;; esac
  echo NAME
  layers search "${OPTIONS[@]}" "$registry" "$text"
}

#: pull IMAGE                            fetch an image from a registry
cmd_pull() {
  parse "$REGISTRY_SPEC a:all mirror=" "$@"
  operands 1 1 "one image"
  naming "${REST[0]}" layers pull "${OPTIONS[@]}" "${REST[0]}"
}

#: push IMAGE [REFERENCE]                send an image to the registry that its name says
cmd_push() {
  parse "$REGISTRY_SPEC a:all chunk-size=" "$@"
  operands 1 2 "an image"
  layers push "${OPTIONS[@]}" "${REST[@]}"
}

#: login [-u USER] REGISTRY              keep a name and a password for a registry
cmd_login() { layers login "$@"; }
#: logout REGISTRY                       forget them
cmd_logout() { layers logout "$@"; }

#: images [-q] [--no-trunc] [--tree] [NAME]   list images; --tree: the layers that they share
cmd_images() {
  parse "q:quiet no-trunc t:tree a:all" "$@"
  operands 0 1 "one name at most"
  if has --tree; then layers images --tree && return; fi
  local show=table length=12
  if has --quiet; then show=quiet; fi
  if has --no-trunc; then length=64; fi
  layers images --json |
    query -r --arg show "$show" --argjson length "$length" --arg name "${REST[0]-}" 'images'
}

#: build -t NAME[:TAG] [-f FILE] DIR|-   make an image as a Dockerfile says
cmd_build() {
  parse "t:tag= f:file= target= build-arg= label= secret= network= platform= build-context= iidfile=
    compression= no-cache q:quiet pull rm force-rm" "$@"
  operands 1 1 "one directory, or - for a Dockerfile on standard input"
  local i words=() name empty=
  name=$(value_of --tag)
  [ -n "$name" ] || usage "the image needs a name: build -t NAME"
  for ((i = 0; i < ${#OPTIONS[@]}; i++)); do
    # Containers of a build are always removed.
    case ${OPTIONS[i]} in --rm* | --force-rm*) ;; *) words+=("${OPTIONS[i]}") ;; esac
  done
  if [ "${REST[0]}" = - ]; then
    empty=$(mktemp -d)
    REST[0]=$empty words+=(--file -)
  fi
  local status=0
  (naming "$name" layers build "${words[@]}" "${REST[0]}") || status=$?
  [ -z "$empty" ] || rmdir "$empty"
  return "$status"
}

#: tag IMAGE NAME[:TAG]                  one more name for an image
cmd_tag() {
  parse "f:force" "$@"
  operands 2 2 "an image and a name"
  naming "${REST[1]}" layers tag "${REST[0]}" "${REST[1]}"
}

#: rmi IMAGE...                          remove names, and what nobody else needs
cmd_rmi() {
  parse "f:force no-prune" "$@"
  operands 1 1000 "an image"
  layers rm "${REST[@]}"
}

#: history IMAGE                         the steps by which an image was made
cmd_history() {
  parse "no-trunc q:quiet" "$@"
  operands 1 1 "one image"
  layers history "${REST[0]}"
}

#: rollback NAME [N]                     NAME:latest is again what it was N (1) images ago
cmd_rollback() {
  parse "" "$@"
  operands 1 2 "a name"
  local name n=${REST[1]:-1}
  name=$(full_name "${REST[0]}")
  case $name in *:latest) ;; *) die "rollback '$name': only of the tag latest are earlier images kept" ;; esac
  [[ $n =~ ^[1-9]$ ]] || usage "'$n' is no number of images"
  [ -n "$(image_digest "$name-$n")" ] || die "rollback '$name': no image '$name-$n'; see: box images ${name%:*}"
  give "$name" "$name-0"
  give "$name-$n" "$name"
  shift_names "$name" "$n"
  layers untag "$name-0"
  echo "$name is $(image_digest "$name")"
}
