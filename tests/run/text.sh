#!/usr/bin/env bash
# examples/text on four ranks by tree: the first steps bring the held-out loss well below that of a uniform guess (ln 256 = 5.55).
. "$(dirname "$(readlink -f "$0")")/lib.sh"

"$ESPALIER" run "$SOURCE/examples/text/text.plan:four" --set steps=60 --metrics "$work/m.jsonl" >"$work/out" 2>&1 ||
    { cat "$work/out"; fail "the example does not run"; }
loss=$(jq -s '[.[] | .holdout.loss // empty] | last' "$work/m.jsonl")
echo "text: held-out loss $loss nats per byte after 60 steps"
grep -q "^sample behind step 60:" "$work/out" && grep -q "^The licence" "$work/out" ||
    { cat "$work/out"; fail "no sample is printed"; }
awk -v l="$loss" 'BEGIN { exit !(l > 0 && l < 3.2) }' || { cat "$work/out"; fail "held-out loss $loss"; }
