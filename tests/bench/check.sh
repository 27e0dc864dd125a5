#!/usr/bin/env bash
# How long `espalier check` takes over plan files of growing length: a table, which judges nothing.
#
#   tests/bench/check.sh [build/espalier]
#
# A file is the digits example with more layers (thirteen lines each, all called by the model), and a line of the model for
# each. "start" is the time of a process that checks a file of one cluster.
set -euo pipefail
TIMEFORMAT="%3R %3U %3S"
espalier=$(realpath "${1:-build/espalier}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

write_plan() {
    awk -v layers="$1" 'BEGIN {
        print "use nn, optim"
        print "cluster laptop {\n  node box {\n    cpu worker[4] { memory 1 GiB }\n    link worker <-> worker: 10 GB/s, 1 us\n  }\n}"
        for (i = 0; i < layers; i++) {
            printf "\nlayer part%d(x: [.., D], F: dim, scale = 1.0, bias = yes) -> [.., D] {\n", i
            print "  param up: [D, F] init normal(0, 0.02)\n  param down: [F, D] init zeros"
            print "  h = silu(dot(x, up over D)) * scale"
            print "  if bias {\n    param b: [F] init zeros\n    h = h + b\n  }"
            print "  y = dot(h, down over F)\n  return x + y\n}"
        }
        print "\nmodel mlp(H: dim, C: dim) {\n  input image: f32[B, P]\n  input digit: id[B] below C\n  h = linear(image, H)"
        for (i = 0; i < layers; i++)
            printf "  h = part%d(h, F = 2 * H)\n", i
        print "  y = linear(h, C)\n  loss = cross_entropy(y, digit)\n  metric accuracy = top1(y, digit)\n}"
        print "\ntrain digits for mlp(H = 32, C = 10) {\n  data csv(\"digits.csv\", image = 0..63, digit = 64)\n  batch 64\n  optimizer sgd(lr = 0.1)\n  epochs 1\n}"
        print "\nplan ring4 for digits on laptop {\n  mesh dp = 4\n  split B over dp\n  reduce grad over dp by ring\n}"
    }' >"$2"
}

# The least of eleven runs in milliseconds: of the clock, and of the processor, which neighbours disturb less.
least() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11; do
        { time "$espalier" check "$1" >/dev/null; } 2>&1
    done | sort -n | awk 'NR == 1 { clock = $1 } NR == 1 || $2 + $3 < cpu { cpu = $2 + $3 }
                          END { printf "%7.0f %7.0f", 1000 * clock, 1000 * cpu }'
}

printf 'cluster c {\n  node a { cpu w { memory 1 GiB } }\n}\n' >start.plan
printf '%8s  %7s %7s\n' lines "ms" "cpu ms"
printf '%8s  %s\n' start "$(least start.plan)"
for layers in 20 70 140 560; do
    write_plan "$layers" "$layers.plan"
    printf '%8s  %s\n' "$(wc -l <"$layers.plan")" "$(least "$layers.plan")"
done
