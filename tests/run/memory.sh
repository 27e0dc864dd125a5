#!/usr/bin/env bash
# explain's total is what the run reserves, exactly, for every rank; peak resident size is within 10 % + 64 MiB of it.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

digits_plan "$work/m.plan" $'batch 120\n  steps 10' '
plan alone for digits on eight { }
plan three for digits on eight { mesh dp = 3; split B over dp; reduce grad over dp by tree }
plan eight for digits on eight { mesh dp = 8; split B over dp; reduce grad over dp by direct }'

for case in "alone 48 1" "three 48 3" "eight 48 8" "alone 2048 1" "three 1024 3"; do
    read -r plan width ranks <<<"$case"
    "$ESPALIER" explain "$work/m.plan:$plan" --set H="$width" --json >"$work/explain.json"
    [ "$(jq '.ranks | length' "$work/explain.json")" = "$ranks" ] || fail "explain: $plan has not $ranks ranks"
    jq -e '[.ranks[].memory | (to_entries | map(select(.key != "total").value) | add) == .total] | all' \
        "$work/explain.json" >/dev/null || fail "explain: the parts of $plan do not add up to its total"
    total=$(jq '[.ranks[].memory.total] | max' "$work/explain.json")
    "$ESPALIER" run "$work/m.plan:$plan" --set H="$width" --metrics "$work/m.jsonl" >"$work/out" 2>&1 ||
        { cat "$work/out"; fail "$plan did not run"; }
    reserved=$(tail -n 1 "$work/m.jsonl" | jq .summary.reserved_bytes)
    peak=$(tail -n 1 "$work/m.jsonl" | jq .summary.peak_resident_bytes)
    echo "$plan H=$width: explain $total, reserved $reserved, peak resident $peak"
    [ "$reserved" = "$total" ] || fail "$plan reserves $reserved bytes, explain says $total"
    # Sanitizers keep shadow memory of their own, which is not the run's.
    [ -n "${SANITIZE:-}" ] || [ "$peak" -le $((total + total / 10 + 64 * 1024 * 1024)) ] || fail "$plan has $peak bytes resident"
    [ "$peak" -gt 0 ] || fail "$plan reports no resident size"
done
