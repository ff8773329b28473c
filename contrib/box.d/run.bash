# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # what box sets; programs for jq
# run and create: from an image to a directory of our own with a bundle in it.
RUN_SPEC="+ d:detach i:interactive t:tty rm name= h:hostname= p:publish= v:volume= e:env= env-file= link=
  w:workdir= u:user= network= net= restart= entrypoint= m:memory= cpus= pids-limit= read-only
  no-new-privileges stop-signal= stop-timeout= health-cmd= health-interval= health-timeout=
  health-retries= health-start-period= health-on-failure= log-size-max= log-max-files= pull="

UNDO= # the id of a container that is not complete

# Whatever fails, a container that is not complete goes, with all that was made for it.
undo() {
  [ -n "$UNDO" ] || return 0
  ID=$UNDO DIR=$containers/$UNDO UNDO=
  remove_container || echo "box: what is left of it is in '$DIR'" >&2
}

#: run [-d] [-i] [-t] [--rm] [OPTION]... IMAGE [COMMAND...]   a new container, started
cmd_run() {
  make_container "$@"
  if has --detach; then
    start_container
    UNDO=
    if has --rm; then remove_at_end; fi
    echo "$ID"
    return
  fi
  local status=0
  run_in_foreground || status=$?
  if [ ! -e "$DIR/exit" ]; then exit "$status"; fi
  # With --rm the end of the run is the end of the container.
  has --rm || UNDO=
  exit "$status"
}

#: create [OPTION]... IMAGE [COMMAND...]  the same, not yet started
cmd_create() {
  make_container "$@"
  UNDO=
  echo "$ID"
}

# Sets ID, DIR and OPTIONS; until UNDO is empty all of it is undone.
make_container() {
  parse "${RUN_SPEC//$'\n'/ }" "$@"
  [ "${#REST[@]}" -gt 0 ] || usage "expected an image"
  local image=${REST[0]} document name network
  has --rm && [ -n "$(value_of --restart)" ] && usage "--rm and --restart exclude each other"
  document=$(layers inspect "$image" 2>/dev/null) || document=
  if [ -z "$document" ]; then
    fetch_image "$image"
    document=$(layers inspect "$image")
  fi
  ID=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  DIR=$containers/$ID
  name=$(value_of --name "${ID:0:12}")
  network=$(value_of --network "$(value_of --net "$BOX_NETWORK")")
  [ "$network" != bridge ] || network=$BOX_NETWORK
  trap undo EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  take_name "$name"
  local words=(--name "$name" --network "$network") links=() volumes=() shim=()
  read_options
  layers bundle "${words[@]}" "$image" "$DIR/bundle" -- "${REST[@]:1}"
  describe "$image" "$name" "$network"
  printf '%s\0' --bundle "$DIR/bundle" --log "json:$DIR/json.log" --exit-file "$DIR/exit" "${shim[@]}" \
    >"$DIR/shim-options"
  # By this shim logs finds the log when no shim runs any more.
  mkdir -p "$DIR/ended/$ID"
  : >"$DIR/ended/$ID/status"
  jq -n --arg log "$DIR/json.log" '{shimPid: 0, logs: [{driver: "json", path: $log}]}' >"$DIR/ended/$ID/config"
}

# The name is taken by the one who makes the link.
take_name() { # NAME
  [[ $1 =~ ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ ]] ||
    die "'$1' is no name for a container: use letters, digits, '_', '.' and '-'"
  mkdir -p "$containers" "$BOX_DIR/names"
  chmod 700 "$BOX_DIR"
  ln -sT "../containers/$ID" "$BOX_DIR/names/$1" 2>/dev/null ||
    die "the name '$1' is taken by container $(readlink "$BOX_DIR/names/$1" | sed 's|.*/||' | cut -c 1-12):" \
      "choose another, or remove that one: box rm $1"
  UNDO=$ID
  mkdir "$DIR"
}

# What the options are for layers (words), for shim, and for ourselves (links, volumes).
read_options() {
  local i word value
  for ((i = 0; i < ${#OPTIONS[@]}; i++)); do
    word=${OPTIONS[i]}
    case $word in
      --detach | --rm | *=*) continue ;;
      --tty) words+=(--tty) shim+=(--tty) && continue ;;
      --interactive) shim+=(--interactive) && continue ;;
      --read-only | --no-new-privileges) words+=("$word") && continue ;;
    esac
    value=${OPTIONS[++i]}
    case $word in
      --name | --network | --net | --pull) ;;
      --volume) add_volume "$value" ;;
      --link) add_link "$value" ;;
      --env-file) add_env_file "$value" ;;
      --restart | --stop-* | --health-* | --log-*) shim+=("$word" "$value") ;;
      *) words+=("$word" "$value") ;;
    esac
  done
  if [ -z "$(value_of --stop-signal)" ]; then
    shim+=(--stop-signal "$(jq -r '.config.config.StopSignal // "TERM"' <<<"$document")")
  fi
  [ -n "$(value_of --stop-timeout)" ] || shim+=(--stop-timeout 10s)
}

# /SRC:/DST[:ro], NAME:/DST for a volume with a name, or /DST for one that goes with
# the container.
add_volume() { # TEXT
  local source=${1%%:*} rest=${1#*:} 
  if [ "$source" = "$1" ]; then
    rest=$source source=$DIR/volumes/${#volumes[@]}
  elif [[ $source == ./* || $source == ../* ]]; then
    source=$(realpath "$source")
  elif [[ $source != /* ]]; then
    [[ $source =~ ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ ]] || die "volume '$1': '$source' is neither a path nor a name"
    source=$BOX_DIR/volumes/$source
  fi
  case $rest in *:rw | *:z | *:Z) rest=${rest%:*} ;; esac
  [ -e "$source" ] || mkdir -p "$source"
  words+=(--volume "$source:$rest")
  volumes+=("$source:$rest")
}

add_link() { # NAME[:ALIAS]
  local name=${1%%:*} alias=${1##*:} id=$ID dir=$DIR
  [[ $alias =~ ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ ]] || die "link '$1': '$alias' is no name for a host"
  find_container "$name"
  links+=("$ID:$alias")
  ID=$id DIR=$dir
}

add_env_file() { # FILE
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) ;; *) words+=(--env "$line") ;; esac
  done <"$1"
}

# Not over OPTIONS and REST, which are those of run.
fetch_image() { (cmd_pull --quiet "$1" >&2); } # IMAGE

# box.json, whole or not at all.
describe() { # IMAGE NAME NETWORK
  jq --arg id "$ID" --arg name "$2" --arg image "$1" --arg network "$3" \
    --arg restart "$(value_of --restart no)" --argjson remove "$(has --rm && echo true || echo false)" \
    --slurpfile config "$DIR/bundle/config.json" --args '{
      kind: "container", id: $id, name: $name, image: $image, digest: .digest, created: (now | floor),
      command: $config[0].process.args, network: $network, restart: $restart, remove: $remove,
      exposed: (.config.config.ExposedPorts // {} | keys),
      links: [$ARGS.positional[] | select(startswith("link:")) | ltrimstr("link:")],
      volumes: [$ARGS.positional[] | select(startswith("volume:")) | ltrimstr("volume:")]
    }' -- "${links[@]/#/link:}" "${volumes[@]/#/volume:}" <<<"$document" >"$DIR/box.json.new"
  mv "$DIR/box.json.new" "$DIR/box.json"
}
