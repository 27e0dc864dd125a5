#!/usr/bin/env bash
# The language server. client.lua drives it as an editor does, by Neovim's client: open, mistype, see the error, hover,
# definition, completion, format. protocol.lua asks it everything by raw messages, and is as hostile as a client can be.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

mkdir "$work/data"
cp "$SOURCE/examples/digits/data/digits.csv" "$work/data/"
cp "$SOURCE/examples/digits/digits.plan" "$work/digits.plan"
export ESPALIER SOURCE PLAN="$work/digits.plan" XDG_STATE_HOME="$work" XDG_DATA_HOME="$work" XDG_CONFIG_HOME="$work"

drive() { # SCRIPT STEPS
    timeout 300 nvim --headless -u NONE -i NONE -n -c "luafile $SOURCE/tests/lsp/$1" >"$work/out" 2>&1 ||
        { cat "$work/out"; fail "$1"; }
    cat "$work/out"
    [ "$(grep -c '^ok' "$work/out")" -ge "$2" ] || fail "$1: steps are missing"
}
drive client.lua 20

# A layer of one's own, an imported one, a comment behind which nothing stands.
cat >"$work/parts.plan" <<'PLAN'
use nn
# Half as wide.
layer halved(x: [.., D], N: dim) -> [.., N] { return relu(linear(x, N)) }
PLAN
echo 'layer l(x: [.., D) { }' >"$work/broken.plan"
sed -e 's/^use nn, optim/use nn, optim\nimport "parts.plan"\n\n# Twice as wide.\nlayer doubled(x: [.., D], W: dim) -> [.., W] {\n  wide = linear(x, W)\n  return max(wide, 0)\n}/' \
    -e 's/^  y    = linear(h, C)/  h    = doubled(h, W = 2 * H2)\n  h    = halved(h, N = H)\n  y    = linear(h, C)/' \
    "$SOURCE/examples/digits/digits.plan" >"$work/digits.plan"
"$ESPALIER" fmt "$work/digits.plan"
"$ESPALIER" check "$work/digits.plan"
WORK="$work" drive protocol.lua 113
