#!/usr/bin/env bash
# The digits on four ranks of one machine: Espalier beside PyTorch DDP (Gloo), side by side, medians of several runs.
#   PYTHON=python3 tests/bench/digits.sh [RUNS]        PYTHON must have torch and numpy
set -euo pipefail
root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
runs=${1:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
seconds() { local begin; begin=$(date +%s.%N); "$@" >"$work/out"; echo "$(date +%s.%N) $begin" | awk '{ print $1 - $2 }'; }

"$root/build/espalier" build "$root/examples/digits/digits.plan:ring4" -o "$work/ring4"
for _ in $(seq "$runs"); do
    seconds "$work/ring4" >>"$work/espalier"
    seconds "${PYTHON:-python3}" "$root/tests/bench/digits_ddp.py" "$root/examples/digits/data/digits.csv" >>"$work/ddp"
    cut -d' ' -f1 "$work/out" >>"$work/ddp_training"
done
espalier=$(median <"$work/espalier")
printf '%-44s %8s %8s\n' "digits, 4 ranks, 20 epochs (median of $runs)" seconds ratio
for row in "espalier, start to exit:espalier" "PyTorch DDP, training alone:ddp_training" "PyTorch DDP, start to exit:ddp"; do
    awk -v name="${row%%:*}" -v s="$(median <"$work/${row#*:}")" -v e="$espalier" 'BEGIN { printf "%-44s %8.2f %8.1f\n", name, s, s / e }'
done
