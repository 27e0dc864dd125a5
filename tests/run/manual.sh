#!/usr/bin/env bash
# The manual: a page for espalier, for each command, and for the language; no warning; every command, option, clause,
# operator and block is on the page where one looks for it.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

"$ESPALIER" manual --all="$work"
pages=$("$ESPALIER" manual)
[ "$(ls "$work" | wc -l)" = "$(wc -l <<<"$pages")" ] || fail "not every page was written"

lints=0
for page in "$work"/*.[15]; do
    if command -v mandoc >/dev/null; then # the date stays empty, so that a build gives the same bytes on any day
        mandoc -T lint -W warning "$page" 2>&1 | grep -vE 'missing date|referenced manual not found' >"$work/said" || true
        [ ! -s "$work/said" ] || { cat "$work/said"; fail "$page: mandoc"; }
        lints=$((lints + 1))
    fi
    if command -v groff >/dev/null; then
        groff -man -ww -z "$page" 2>"$work/said"
        [ ! -s "$work/said" ] || { cat "$work/said"; fail "$page: groff"; }
        lints=$((lints + 1))
    fi
    if command -v man >/dev/null && man --version >/dev/null 2>&1; then
        LC_ALL=C.UTF-8 MANWIDTH=100 man -l --warnings -P cat "$page" >"$work/shown" 2>"$work/said"
        [ ! -s "$work/said" ] || { cat "$work/said"; fail "$page: man"; }
        grep -q NAME "$work/shown" || fail "$page: man shows nothing"
        lints=$((lints + 1))
    fi
done
[ "$lints" -gt 0 ] || fail "neither mandoc nor groff nor man is here"

plain() { sed 's/\\-/-/g; s/\\(dq/"/g; s/\\(aq/'"'"'/g; s/\\(ha/^/g; s/\\(ti/~/g; s/\\&//g; s/\\f[BIR]//g' "$1"; }

options=0
for command in $(sed -n 's/^COMMAND([A-Z]*, "\([a-z]*\)".*/\1/p' "$SOURCE/compiler/driver/commands.def"); do
    page="$work/espalier-$command.1"
    [ -f "$page" ] || fail "'$command' has no page"
    plain "$work/espalier.1" | grep -q "^$command " || plain "$work/espalier.1" | grep -q "^$command\$" ||
        fail "'$command' is not on espalier(1)"
    for option in $("$ESPALIER" help "$command" | sed -n 's/^  \(--[a-z-]*\).*/\1/p'); do
        plain "$page" | grep -qE -- "^$option(=|\$)" || fail "$option is not on the page of '$command'"
        options=$((options + 1))
    done
done
[ "$options" -ge 40 ] || fail "only $options options were looked for"

words=0
plain "$work/espalier-plan.5" >"$work/plan"
while read -r word; do
    grep -qwF -- "$word" "$work/plan" || fail "'$word' is not on espalier-plan(5)"
    words=$((words + 1))
done < <(sed -n 's/^CLAUSE([A-Z]*, "\([a-z]*\)".*/\1/p' "$SOURCE/compiler/sema/clause.def"
         sed -n 's/^BUILTIN("\([a-z0-9_]*\)".*/\1/p' "$SOURCE/compiler/sema/builtin.def"
         sed -n 's/^ITEM("\([a-z]*\)".*/\1/p' "$SOURCE/grammar/keywords.def"
         sed -n 's/^UNIT("\([^"]*\)".*/\1/p' "$SOURCE/compiler/ast/unit.def")
[ "$words" -ge 80 ] || fail "only $words words were looked for"
echo "manual: $(wc -l <<<"$pages") pages, $lints lints, $options options, $words words"
