#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/runc-like-coverage.md against the tables of the code: no field and no option
# is missing, and the tests named there do use them.
load ../lib/common

setup() {
  table=$BATS_TEST_DIRNAME/../runc-like-coverage.md
  code=$BATS_TEST_DIRNAME/../../runc-like
}

@test "every field that the code reads has its row, and no row is about another" {
  diff -u <(sed -n 's|^    "\(/[^"]*\)",$|\1|p' "$code/table_fields.h" | sort) \
    <(sed -n 's/^| `\(\/[^`]*\)` .*/\1/p' "$table" | sort)
}

@test "every option of every command has its row" {
  local missing=0 verb option
  while read -r verb; do
    while read -r option; do
      case $option in --help | --version) continue ;; esac
      grep -q "^| \($verb\|every\) | \`$option\` |" "$table" || { echo "$verb $option has no row" && missing=1; }
    done < <(runc-like "$verb" --help | sed -n 's/^ *\(-., \)\?\(--[a-z-]*\).*/\2/p')
  done < <(runc-like --help | sed -n '/^$/,/^options:/s/^  \([a-z]*\)  .*/\1/p')
  [ "$missing" -eq 0 ]
}

@test "the tests that the table names use the field or option" {
  local wrong=0 what files file word
  while IFS='|' read -r what files; do
    word=${what##*/}
    [ "$word" = '*' ] && word=${what%/\*} && word=${word##*/}
    for file in ${files//,/ }; do
      [ "$file" = - ] && continue
      grep -q -- "$word" "$BATS_TEST_DIRNAME/../$file" || { echo "$file does not use $what" && wrong=1; }
    done
  done < <(sed -n 's/^| `\([^`]*\)` | \(.*\) |$/\1|\2/p; s/^| [a-z]* | `\([^`]*\)` | \(.*\) |$/\1|\2/p' "$table")
  [ "$wrong" -eq 0 ]
}
