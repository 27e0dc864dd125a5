#!/usr/bin/env bash
# Layers beside their floors, forward, backward and step together, on one thread. Products (convolutions, attention) beside the
# time that their multiplications take in a linear layer; norms, softmax and losses beside an activation of the same size.
# layers.sh [STEPS]: prints a table; the fastest of so many steps (20) counts.
. "$(dirname "$(readlink -f "$0")")/../run/lib.sh"
steps=${1:-20}
printf '0\n%.0s' {1..64} >"$work/samples.csv"

# milliseconds BODY: of the model's fastest step; BODY ends with what is made of x.
milliseconds() {
    cat >"$work/one.plan" <<PLAN
use nn, optim
cluster one { node box { cpu worker { memory 16 GiB } } }
model m() {
  input ids: id[N] below 8000
  $1
}
train t for m() { data csv("samples.csv", ids = 0); batch 64; optimizer sgd(lr = 0.0001); steps $steps }
plan p for t on one { }
PLAN
    "$ESPALIER" build "$work/one.plan:p" -o "$work/one" >&2
    "$work/one" --threads 1 --metrics "$work/one.jsonl" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "$1"; }
    jq -s '[.[] | select(.step) | .ms] | min' "$work/one.jsonl"
}

x() { echo "param x: [$1] init normal(0, 1)"; }
unused='+ 0 * mean(number(ids))'

# MFLOP of a step, forward and backward: three products of the size of the forward one.
rate=$(milliseconds "$(x "B = 512, D = 512")
  loss = mean(linear(linear(x, F = 1024), D) ^ 2) $unused" | awk '{ print 3 * 2 * 2 * 512 * 512 * 1024 / 1e6 / $1 }')
printf 'a linear layer: %.1f GFLOP/s\n\n%-34s %9s %9s %6s\n' "$rate" product ms floor ratio
product() { # NAME MFLOP BODY
    local ms
    ms=$(milliseconds "$3 $unused")
    awk -v name="$1" -v work="$2" -v rate="$rate" -v ms="$ms" \
        'BEGIN { printf "%-34s %9.3f %9.3f %6.2f\n", name, ms, work / rate, ms / (work / rate) }'
}
conv() { # CHANNELS SIZE WINDOW GROUPS
    product "conv2d $1x$2x$2, window $3, groups $4" "$((3 * 2 * 8 * $1 * $1 * $2 * $2 * $3 * $3 / $4 / 1000000))" \
        "$(x "B = 8, C = $1, H = $2, W = $2")
  loss = mean(conv2d(x, F = $1, window = $3, padding = $(($3 / 2)), groups = $4) ^ 2)"
}
conv 32 32 3 1
conv 64 16 3 1
conv 64 16 1 1
conv 32 32 5 1
conv 64 16 3 4
attention() { # POSITIONS WIDTH HEADS
    product "self_attention $1x$2, $3 heads, causal" "$(((3 * 4 * 2 * $1 * $2 * $2 + 7 * $1 * $1 * $2) / 1000000))" \
        "$(x "B = 1, S = $1, D = $2")
  loss = mean(self_attention(x, A = $3, causal) ^ 2)"
}
attention 256 256 8
attention 512 512 8
attention 1024 256 4

printf '\n%-34s %9s %9s %6s\n' 'of 1024 x 1024' ms relu ratio
floor=$(milliseconds "$(x "B = 1024, D = 1024")
  loss = mean(relu(x) ^ 2) $unused")
for layer in 'gelu(x)' 'gelu(x, approximate)' 'layer_norm(x)' 'rms_norm(x)' 'softmax(x)' 'batch_norm(x)' 'dropout(x, 0.1)'; do
    ms=$(milliseconds "$(x "B = 1024, D = 1024")
  loss = mean($layer ^ 2) $unused")
    awk -v name="$layer" -v ms="$ms" -v floor="$floor" 'BEGIN { printf "%-34s %9.3f %9.3f %6.2f\n", name, ms, floor, ms / floor }'
done
floor=$(milliseconds "$(x "N, V = 8000")
  loss = mean(relu(x) ^ 2) $unused")
ms=$(milliseconds "$(x "N, V = 8000")
  loss = cross_entropy(x, ids)")
awk -v ms="$ms" -v floor="$floor" 'BEGIN { printf "%-34s %9.3f %9.3f %6.2f\n", "cross_entropy of 64 x 8000", ms, floor, ms / floor }'
