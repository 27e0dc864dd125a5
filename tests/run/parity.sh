#!/usr/bin/env bash
# Models beside PyTorch's own values (tests/reference/models.py): from the same weights and batches, the loss and every gradient to
# 1e-5 relative; loss, metrics and held-out values of each of 20 steps; the weights and running values after them. On one rank,
# two and four, by topologies that take turns. Then the mlp by each optimizer, each schedule and each average.
#   parity.sh [NAME…]      all, or the models, optimizers, schedules and averages named
. "$(dirname "$(readlink -f "$0")")/lib.sh"
reference="$SOURCE/tests/reference"
names="$*"

cat >"$work/plans" <<PLAN

cluster four {
  node box {
    cpu worker[4] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}
plan alone for t on four { }
PLAN
for topology in ring tree direct halving double_tree; do
    for ranks in 2 4; do
        echo "plan $topology$ranks for t on four { mesh dp = $ranks; split B over dp; reduce grad over dp by $topology }"
    done
done >>"$work/plans"

wanted() { [ -z "$names" ] || [[ " $names " == *" $1 "* ]]; }

# run OUT-PREFIX OPTIONS: the executable, its report, and its metrics as lines of a name and a number.
run() {
    local out=$1
    shift
    "$work/run" --data "$folder" --weights "$folder/weights.safetensors" --save "$out.safetensors" --metrics "$out.jsonl" "$@" \
        >"$out.out" 2>&1 || { cat "$out.out"; fail "$title does not run"; }
    jq -r 'select(.step != null) | (to_entries[] | select(.value | type == "number") | "\(.key) \(.value)"),
           (.holdout // {} | to_entries[] | "holdout.\(.key) \(.value)")' "$out.jsonl" >"$out.series"
}

# compare WHAT OURS EXPECTED: to 1e-5.
compare() { "$SAFETENSORS_COMPARE" "$1" "$2" "$3" 1e-5 || fail "$title: $1"; }

# train PLAN EXPECTED: builds the plan of $work/this.plan, runs and compares it.
train() {
    title="$name, $1"
    echo "$title"
    "$ESPALIER" build "$work/this.plan:$1" -o "$work/run" || fail "$title does not build"
    run "$work/twenty"
    compare series "$work/twenty.series" "$2"
    compare weights "$work/twenty.safetensors" "$2"
}

lists=("alone ring2 tree4" "alone direct2 ring4" "alone tree2 halving4" "alone double_tree2 direct4")
count=0
for folder in "$reference"/models/*/; do
    name=$(basename "$folder")
    wanted "$name" || continue
    cat "$folder/model.plan" "$work/plans" >"$work/this.plan"
    read -ra plans <<<"${lists[$((count++ % ${#lists[@]}))]}"
    for plan in "${plans[@]}"; do
        train "$plan" "$folder/expected.safetensors"
        run "$work/one" --steps 1
        compare gradients "$work/one.safetensors" "$folder/expected.safetensors"
    done
done

folder="$reference/models/mlp"
for kind in optimizers schedules averages; do
    while IFS=: read -r name clauses; do
        [[ $name == \#* ]] || ! wanted "$name" && continue
        sed "s|^  optimizer .*|  $clauses|" "$folder/model.plan" | cat - "$work/plans" >"$work/this.plan"
        train alone "$reference/$kind/$name.safetensors"
    done <"$reference/$kind/table.txt"
done
