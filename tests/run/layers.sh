#!/usr/bin/env bash
# Layers whose sums go over all ranks or whose numbers come from a seed: batch norm's running values, dropout, ids that do not
# count. The same training on 1, 2 and 4 ranks: losses to 1e-5 relative, and every variable after the last step to 1e-4.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

cat >"$work/net.plan" <<PLAN
use nn, optim
cluster four {
  node box {
    cpu worker[4] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}
model net(F: dim, C: dim) {
  input image: f32[B, P]
  input digit: id[B] below C
  x    = split(image over P, E = 1, H = 8, W = 8)
  h    = max_pool(relu(batch_norm(conv2d(x, F, padding = 1, bias = no))))
  h    = dropout(relu(batch_norm(conv_transpose2d(h, F2 = 6, window = 2, stride = 2, bias = no))), 0.2)
  h    = average_pool(relu(group_norm(conv2d(h, F3 = 8, groups = 2), G = 2)), window = (2, 3))
  y    = linear(dropout(batch_norm(flatten(h, K = 48), momentum = 0.5), 0.3), C)
  loss = cross_entropy(y, digit, ignored = 3, smoothing = 0.1)
  metric accuracy = top1(y, digit)
}
train digits for net(F = 4, C = 10) {
  data      csv("$SOURCE/examples/digits/data/digits.csv", image = 0..63, digit = 64, scale = 1/16, holdout = 20%)
  batch     48
  optimizer sgd(lr = 0.1)
  steps     20
  seed      7
}
plan alone for digits on four { }
plan two   for digits on four { mesh dp = 2; split B over dp; reduce grad over dp by ring }
plan four  for digits on four { mesh dp = 4; split B over dp; reduce grad over dp by tree }
PLAN

for plan in alone two four; do
    "$ESPALIER" build "$work/net.plan:$plan" -o "$work/$plan"
    "$work/$plan" --metrics "$work/$plan.jsonl" --save "$work/$plan.safetensors" >"$work/out" 2>&1 ||
        { cat "$work/out"; fail "plan $plan did not run"; }
    jq -r 'select(.summary == null and .loss != null) | .loss' "$work/$plan.jsonl" >"$work/$plan.losses"
    [ "$(wc -l <"$work/$plan.losses")" -ge 20 ] || fail "plan $plan: no 20 losses"
    paste "$work/alone.losses" "$work/$plan.losses" | awk -v name="$plan" '
        { d = ($1 - $2) / $1; if (d < 0) d = -d; if (d > worst) worst = d }
        END { printf "%-6s %d losses, worst relative difference %.2e\n", name, NR, worst; exit NR < 20 || worst > 1e-5 }' ||
        fail "plan $plan differs from one rank"
    "$SAFETENSORS_COMPARE" weights "$work/$plan.safetensors" "$work/alone.safetensors" 1e-4 || fail "plan $plan: variables"
done
