#!/usr/bin/env bash
# The small examples do what their READMEs say: held-out values against bounds from elsewhere.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

# example PLAN-FILE:PLAN -> runs it and prints what it held out
example() {
    "$ESPALIER" run "$SOURCE/examples/$1" --metrics "$work/m.jsonl" >"$work/out" 2>&1 || { cat "$work/out"; fail "$1 does not run"; }
    jq -cs '[.[] | .holdout // empty] | last' "$work/m.jsonl" | tee "$work/held"
    cp "$work/m.jsonl" "$work/$(basename "$1").jsonl"
}

holds() { jq -e "$1" "$work/held" >/dev/null || { cat "$work/out"; fail "$2: not $1"; }; }

example mlp/mlp.plan:alone
holds '.accuracy >= 0.85' mlp
[ "$(grep -c . "$SOURCE/examples/mlp/mlp.plan")" = 10 ] || fail "mlp.plan is not of ten lines"

# A code of 8 numbers must beat the best linear one: NumPy's SVD leaves an error of 0.02391 with 8 components of all 1797 images.
example autoencoder/autoencoder.plan:four
holds '.loss < 0.0239' autoencoder

example digits/convnet.plan:four
holds '.accuracy >= 0.985' convnet
