#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/layers-coverage.md against the program: no command and no option is missing,
# and the tests named there exist and use them.
load ../lib/common

setup() {
  [ -z "${VM_RESULTS:-}" ] || skip "a table is the same in every machine"
  table=$BATS_TEST_DIRNAME/../layers-coverage.md
}

options_of() { # VERB : "LETTER --LONG" of each, a dot for none
  layers "$1" --help | sed -n 's/^ *\(-\(.\), \)\?\(--[a-z-]*\).*/\2. \3/p' | sed 's/^\(.\)\. /\1 /' | grep -v -- '--help\|--version'
}
verbs() { layers --help | sed -n '/^$/,/^options:/s/^  \([a-z]*\)  .*/\1/p'; }

@test "every command and every option has its row, and no row is about another" {
  local verb letter option
  while read -r verb; do
    echo "$verb $verb"
    while read -r letter option; do
      if grep -q "^| several | \`$option\` |" "$table"; then echo "several $option"; else echo "$verb $option"; fi
    done < <(options_of "$verb")
  done < <(verbs) | sort -u >"$BATS_TEST_TMPDIR/code"
  diff -u "$BATS_TEST_TMPDIR/code" <(sed -n 's/^| \([a-z]*\) | `\([^`]*\)` | .*/\1 \2/p' "$table" | sort)
}

@test "the tests that the table names use the command or option" {
  local wrong=0 verb letter option files file
  while read -r verb; do options_of "$verb"; done < <(verbs) | sort -u >"$BATS_TEST_TMPDIR/letters"
  while IFS='|' read -r verb option files; do
    letter=$(sed -n "s/^\([a-z]\) $option\$/\1/p" "$BATS_TEST_TMPDIR/letters" | head -n 1)
    for file in ${files//,/ }; do
      grep -qE -- "(^|[^a-z-])($option${letter:+|-$letter})([^a-z-]|\$)" "$BATS_TEST_DIRNAME/../$file" ||
        { echo "$file does not use $verb $option" && wrong=1; }
    done
  done < <(sed -n 's/^| \([a-z]*\) | `\([^`]*\)` | \(.*\) |$/\1|\2|\3/p' "$table")
  [ "$wrong" -eq 0 ]
}

@test "the tests that stand beside a rule exist" {
  local wrong=0 count=0 file name
  while IFS='|' read -r file name; do
    count=$((count + 1))
    case $file in
      *.cc) grep -qE "^TEST(_F)?\($name\)" "$BATS_TEST_DIRNAME/../$file" ;;
      *) grep -qF "@test \"$name" "$BATS_TEST_DIRNAME/../$file" ;;
    esac || { echo "$file has no test '$name'" && wrong=1; }
  done < <(sed -n 's/^| [^|]* | \([a-z]*\/[^ |]*\) | \(.*\) |$/\1|\2/p' "$table")
  [ "$wrong" -eq 0 ] && [ "$count" -eq "$(grep -c '^| [a-z]*[a-z ]*: ' "$table")" ]
}
