#!/usr/bin/env bash
# examples/digits on four ranks by ring: held-out accuracy at least 97 %.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

"$ESPALIER" run "$SOURCE/examples/digits/digits.plan:ring4" --metrics "$work/m.jsonl" >"$work/out" 2>&1 ||
    { cat "$work/out"; fail "the demo does not run"; }
accuracy=$(jq -s '[.[] | .holdout.accuracy // .heldout.accuracy // empty] | last' "$work/m.jsonl")
echo "digits: held-out accuracy $accuracy"
awk -v a="$accuracy" 'BEGIN { exit !(a >= 0.97) }' || { cat "$work/out"; fail "held-out accuracy $accuracy"; }
