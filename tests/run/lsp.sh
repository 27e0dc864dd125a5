#!/usr/bin/env bash
# The language server, driven by Neovim's client: open, mistype, see the error, hover, definition, completion, format.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

cp "$SOURCE/examples/digits/digits.plan" "$work/digits.plan"
mkdir "$work/data"
cp "$SOURCE/examples/digits/data/digits.csv" "$work/data/"
export ESPALIER PLAN="$work/digits.plan" XDG_STATE_HOME="$work" XDG_DATA_HOME="$work" XDG_CONFIG_HOME="$work"
timeout 60 nvim --headless -u NONE -i NONE -n -c "luafile $SOURCE/tests/lsp/client.lua" >"$work/out" 2>&1 ||
    { cat "$work/out"; fail "the editor's session"; }
cat "$work/out"
[ "$(grep -c '^ok' "$work/out")" -ge 11 ] || fail "steps are missing"
