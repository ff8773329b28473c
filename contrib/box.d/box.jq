# SPDX-License-Identifier: Apache-2.0
# What box shows, from the documents of layers, shim, netsetup and its own.

def ljust($n): . + ([range(length; $n)] | map(" ") | join(""));
# Rows of texts, in columns.
def table:
  [transpose[] | map(length) | max] as $widths
  | .[] | [., $widths] | transpose | map(.[0] as $text | .[1] as $n | $text | ljust($n)) | join("   ") | sub(" +$"; "");

def plural($n; $unit): "\($n) \($unit)\(if $n == 1 then "" else "s" end)";
def span:
  floor | if . < 0 then 0 else . end
  | if . < 120 then plural(.; "second")
    elif . < 7200 then plural((. / 60 | floor); "minute")
    elif . < 172800 then plural((. / 3600 | floor); "hour")
    else plural((. / 86400 | floor); "day") end;
def instant: if . == null or . == "" then null else sub("[.][0-9]+Z$"; "Z") | fromdateiso8601 end;
def ago: if . == null then "" else "\(now - . | span) ago" end;
def size:
  def round1: . * 10 | round / 10;
  if . >= 1e9 then "\(. / 1e9 | round1) GB" elif . >= 1e6 then "\(. / 1e6 | round1) MB"
  elif . >= 1e3 then "\(. / 1e3 | round1) kB" else "\(.) B" end;

# --- images ---

def named: capture("^(?<repository>.*):(?<tag>[^:/]*)$") // {repository: ., tag: "<none>"};
def images:
  map(. + (.name | named) + {short: (.digest | ltrimstr("sha256:") | .[:$length])})
  | map(select($name == "" or .repository == $name or .name == $name or (.repository | endswith("/" + $name))))
  | if $show == "quiet" then [.[].short] | unique[]
    else [["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]]
      + map([.repository, .tag, .short, (.created | instant | ago), (.size | size)]) | table end;

# --- containers ---

def address: . as $port | "\($port.hostIP // "0.0.0.0"):\($port.hostPort)";
def published($wanted):
  .[] | .ports // [] | .[]
  | select($wanted == "" or $wanted == "\(.containerPort)" or $wanted == "\(.containerPort)/\(.protocol)")
  | if $wanted == "" then "\(.containerPort)/\(.protocol) -> \(address)" else address end;

def status:
  if .shim then .shim.status as $s
    | if $s == "running" then
        "Up \(now - (.shim.started | instant) | span)" + (if .shim.health != "" then " (\(.shim.health))" else "" end)
      else $s end
  elif .exit then "Exited (\(.exit.status)) \(.exit.at | ago)"
  else "Created" end;

# Of a list of documents of four kinds: one for each container, the newest first.
def merge:
  (map(select(.kind == "shim") | {(.id): .}) | add // {}) as $shims
  | (map(select(.kind == "exit") | .id |= sub("/exit$"; "")) | map({(.id): .}) | add // {}) as $exits
  | (map(select(.kind == "network"))) as $networks
  | map(select(.kind == "container"))
  | map(.id as $id | . + {shim: $shims[$id], exit: $exits[$id], networks: ($networks | map(select(.id == $id)))})
  | sort_by(.created) | reverse;

def ports: [.networks[].ports // [] | .[] | "\(address)->\(.containerPort)/\(.protocol)"] | join(", ");
def containers:
  if $which == "running" then map(select(.shim)) elif $which == "latest" then .[:1] else . end
  | if $show == "quiet" then .[].id[:$length]
    else [["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]]
      + map([.id[:$length], .image,
          ("\"\(.command | join(" "))\"" | if $length == 12 and length > 22 then .[:20] + "…\"" else . end),
          (.created | ago), status, ports, .name]) | table end;

def inspected($config; $dir):
  .networks[0] as $network | . as $c | {
    Id: .id, Name: "/\(.name)", Created: (.created | todateiso8601),
    Path: (.command[0] // ""), Args: .command[1:],
    Image: .digest, LogPath: "\($dir)/json.log", Bundle: "\($dir)/bundle",
    RestartCount: (.shim.restarts // 0),
    State: {
      Status: (if .shim then .shim.status elif .exit then "exited" else "created" end),
      Running: (.shim != null), Pid: (.shim.pid // 0),
      ExitCode: (.exit.status // "0" | tonumber),
      StartedAt: (.shim.started // ""), FinishedAt: (if .exit then .exit.at | floor | todateiso8601 else "" end),
      Health: (.shim.health // "")
    },
    Config: {
      Image: .image, Hostname: $config.hostname, Env: $config.process.env, Cmd: .command,
      WorkingDir: $config.process.cwd, Tty: $config.process.terminal,
      User: "\($config.process.user.uid):\($config.process.user.gid)"
    },
    HostConfig: {Links: .links, RestartPolicy: {Name: .restart}, AutoRemove: .remove, NetworkMode: .network},
    Mounts: .volumes,
    NetworkSettings: {
      IPAddress: ($network.addresses[0].address // "" | sub("/.*"; "")), Gateway: ($network.addresses[0].gateway // ""),
      MacAddress: ($network.mac // ""), Bridge: ($network.bridge // ""),
      Ports: ([.networks[].ports // [] | .[] | {key: "\(.containerPort)/\(.protocol)",
        value: [{HostIp: (.hostIP // "0.0.0.0"), HostPort: "\(.hostPort)"}]}] | from_entries),
      Networks: ([.networks[] | {key: .network, value: {IPAddress: (.addresses[0].address | sub("/.*"; ""))}}] | from_entries)
    }
  };

# {{.A.B}} and {{json .A.B}} of a format.
def filled($format):
  . as $doc
  | def at($path): $doc | getpath($path | ltrimstr(".") | split(".") | map(select(. != "")));
  $format
  | gsub("[{][{] *(?<json>json +)?(?<path>[.][A-Za-z0-9_.]*) *[}][}]";
      .json as $json | at(.path) | if $json then tojson elif type == "string" then . else tojson end)
  | if test("[{][{]") then error("a format has {{.Field}} and {{json .Field}} only") else . end;

def statistics:
  (map(select(.kind == "container") | {(.id): .name}) | add // {}) as $names
  | [["CONTAINER ID", "NAME", "CPU SECONDS", "MEMORY", "LIMIT", "PROCESSES"]]
    + map(select(.kind != "container")
      | [.id[:12], ($names[.id] // ""), (.cpu_usage_seconds_total // "-" | tostring),
         (if .memory_usage_bytes then .memory_usage_bytes | size else "-" end),
         (if .memory_limit_bytes then .memory_limit_bytes | size else "-" end), (.pids // "-" | tostring)])
  | table;

# --- links ---

# The variables by which a container knows another: of the times before networks had names.
def link_variables($alias; $own; $address; $ports; $env):
  ($alias | ascii_upcase | gsub("[^A-Z0-9]"; "_")) as $a
  | ["\($a)_NAME=/\($own)/\($alias)"]
    + (if $ports == [] then [] else ["\($a)_PORT=\($ports[0][1])://\($address):\($ports[0][0])"] end)
    + [$ports[] | . as [$port, $protocol] | "\($a)_PORT_\($port)_\($protocol | ascii_upcase)" as $p
      | "\($p)=\($protocol)://\($address):\($port)", "\($p)_ADDR=\($address)", "\($p)_PORT=\($port)", "\($p)_PROTO=\($protocol)"]
    + [$env[] | select(test("^(HOME|PATH|HOSTNAME|TERM)=") | not) | "\($a)_ENV_\(.)"];
