#!/usr/bin/env bash
# Whole models, one process and four: the milliseconds of a step beside PyTorch's, turn by turn, medians of several runs.
#   PYTHON=python3 tests/bench/models.sh [RUNS [STEPS]]        PYTHON must have torch
set -euo pipefail
root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
runs=${1:-3} steps=${2:-100}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

printf '%-10s %6s %12s %12s %8s\n' model ranks espalier pytorch ratio
while read -r model ranks plan <&3; do
    "$root/build/espalier" build "$root/examples/$plan" -o "$work/run"
    : >"$work/ours"
    : >"$work/theirs"
    for _ in $(seq "$runs"); do
        "$work/run" --steps "$steps" --metrics "$work/m.jsonl" >"$work/out"
        jq -r "select(.ms != null and .step >= $steps / 5) | .ms" "$work/m.jsonl" | median >>"$work/ours"
        "${PYTHON:-python3}" "$root/tests/bench/models_torch.py" "$model" "$ranks" "$steps" >>"$work/theirs" 2>"$work/err" ||
            { cat "$work/err"; exit 1; }
    done
    awk -v m="$model" -v r="$ranks" -v e="$(median <"$work/ours")" -v p="$(median <"$work/theirs")" \
        'BEGIN { printf "%-10s %6d %9.2f ms %9.2f ms %8.2f\n", m, r, e, p, p / e }'
done 3<<MODELS
mlp 1 digits/digits.plan:alone
mlp 4 digits/digits.plan:ring4
convnet 1 digits/convnet.plan:alone
convnet 4 digits/convnet.plan:four
gpt 1 text/text.plan:alone
gpt 4 text/text.plan:four
MODELS
