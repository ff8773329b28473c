#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/netsetup-coverage.md against the code: no field is missing, no row is about
# something else, and the tests named there do use the field.
load ../lib/common

setup() {
  table=$BATS_TEST_DIRNAME/../netsetup-coverage.md
  code=$BATS_TEST_DIRNAME/../../netsetup
}

# The fields that FILES ask a JSON object for, by the functions that do.
fields_of() { # FILE...
  (cd "$code" && cat "$@") | tr '\n' ' ' |
    grep -oE '\b(text_or|text_at|truth_or|truth_if|items_at|texts_if|cidr_at|address_if|port_at|number_if|find|at|narrow)\([^")]*"[A-Za-z_./-]+"' |
    sed 's/.*"\(.*\)"/\1/' | grep -vFx -e /../ -e IFNAME
}
rows_of() { sed -n "/^## $1/,/^## /s/^| \`\([^\`]*\)\` .*/\1/p" "$table"; }

@test "every field of a CNI configuration that the code reads or refuses has its row" {
  diff -u <({
    fields_of network.cc cni_request.cc cni_plugin.cc cni_bridge.cc cni_ports.cc cni_tuning.cc cni_host_local.cc
    sed -n 's/^    {"[a-z-]*", "\([A-Za-z0-9]*\)".*/\1/p' "$code/cni_plugin.cc"
    printf '%s\n' advmss mtu scope table
  } | sort -u) <(rows_of CNI | sort)
}

@test "every member of a netavark request that the code reads has its row" {
  diff -u <({
    fields_of netavark_request.cc
    sed -n 's/.*name == "\([a-z_]*\)".*/\1/p' "$code/netavark_request.cc"
  } | sort -u) <(rows_of netavark | sort)
}

@test "the tests that the table names use the field" {
  local wrong=0 field files file
  local -A text
  while IFS='|' read -r field files; do
    for file in ${files//,/ }; do
      [ "$file" = - ] && continue
      [ -n "${text[$file]-}" ] || text[$file]=$(<"$BATS_TEST_DIRNAME/../$file")
      [[ ${text[$file]} == *\"$field\"* || ${text[$file]} == *\"$field\\\"* ]] ||
        { echo "$file does not use $field" && wrong=1; }
    done
  done < <(sed -n 's/^| `\([^`]*\)` | \(.*\) |$/\1|\2/p' "$table")
  [ "$wrong" -eq 0 ]
}
