#!/usr/bin/env bash
# Ids a second of `decode`, and how near its reading of parameters comes to what memory gives: each id reads every parameter once,
# of the embedding one row. sample.sh [THREADS]; prints a table of model sizes.
set -euo pipefail
SOURCE=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
ESPALIER=${ESPALIER:-$SOURCE/build/espalier}
threads=${1:-$(nproc)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
head -c 100000 /usr/share/common-licenses/GPL-3 >"$work/t.txt"

rate=$("$SOURCE/build/tests/bench_read" "$threads")
echo "memory is read at $rate GB/s by $threads threads"
while read -r V D L; do
    cat >"$work/b.plan" <<PLAN
use nn, optim
cluster box { node n { cpu w[1] { memory 16 GiB } } }
model gpt(V: dim, S: dim, D: dim, A: dim, L: int) {
  input text: id[B, S] below V
  input next: id[B, S] below V
  x = embed(text, V, D) + positions(S, D)
  x = repeat L: gpt_block(x, A)
  loss = cross_entropy(linear(layer_norm(x), V), next)
}
train t for gpt(V = $V, S = 256, D = $D, A = 8, L = $L) {
  data bytes("t.txt")
  batch 1
  optimizer sgd(lr = 0.01)
  steps 1
  sample "The" length 200
}
plan alone for t on box { }
PLAN
    "$ESPALIER" build "$work/b.plan" -o "$work/alone"
    "$work/alone" --threads "$threads" --speed 2>"$work/speed" >/dev/null
    awk -v V="$V" -v D="$D" -v L="$L" -v rate="$rate" '
        /ids\/s/ { for (i = 1; i <= NF; i++) if ($i == "ids/s,") ids = $(i - 1) }
        /^parameters/ { bytes = $2 - 4 * V * D }
        END { printf "V %6d  D %4d  L %2d  %7.1f MB  %7.1f ids/s  %6.2f GB/s  %.2f of memory\n", V, D, L, bytes / 1e6, ids,
                     bytes * ids / 1e9, bytes * ids / 1e9 / rate }' "$work/speed"
done <<<"256 128 3
8192 512 8
16384 768 12"
