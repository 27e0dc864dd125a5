#!/usr/bin/env bash
# The same training on 1, 2, 3, 4, 5 and 8 ranks by each of the six reductions: losses agree to 1e-5 relative over 50 steps.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

plans='plan alone for digits on eight { }'
for topology in ring tree double_tree halving direct server; do
    for n in 2 3 4 5 8; do
        plans+="
plan ${topology}_$n for digits on eight { mesh dp = $n; split B over dp; reduce grad over dp by $topology }"
    done
done
digits_plan "$work/layouts.plan" $'batch 120\n  steps 50' "$plans"

losses() { # PLAN -> one loss a line
    "$ESPALIER" run "$work/layouts.plan:$1" --metrics "$work/$1.jsonl" >"$work/$1.out" 2>&1 ||
        { cat "$work/$1.out"; fail "plan $1 did not run"; }
    jq -r 'select(.summary == null and .loss != null) | .loss' "$work/$1.jsonl"
}

losses alone >"$work/alone"
[ "$(wc -l <"$work/alone")" -ge 50 ] || fail "plan alone wrote $(wc -l <"$work/alone") losses, not 50"
compared=0
for topology in ring tree double_tree halving direct server; do
    for n in 2 3 4 5 8; do
        losses "${topology}_$n" >"$work/losses"
        paste "$work/alone" "$work/losses" | awk -v name="${topology}_$n" '
            { d = ($1 - $2) / $1; if (d < 0) d = -d; if (d > worst) worst = d }
            NF != 2 { print name ": line " NR " has no partner"; bad = 1 }
            END { printf "%-14s %d losses, worst relative difference %.2e\n", name, NR, worst; exit bad || worst > 1e-5 }' ||
            fail "plan ${topology}_$n differs from one rank"
        compared=$((compared + 1))
    done
done
[ "$compared" = 30 ] || fail "$compared plans compared"
