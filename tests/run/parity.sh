#!/usr/bin/env bash
# An MLP beside PyTorch's own values (tests/reference/mlp.py): from the same weights and batches, the loss and every gradient to
# 1e-5 relative, and the weights after 20 steps with momentum and weight decay; on one rank and on four.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
reference="$SOURCE/tests/reference/mlp"

cat >"$work/parity.plan" <<PLAN
use nn, optim
cluster four {
  node box {
    cpu worker[4] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}
model mlp(H: dim, C: dim) {
  input x: f32[B, P]
  input label: id[B] below C
  h    = relu(linear(x, H))
  h    = relu(linear(h, H2 = H / 2))
  loss = cross_entropy(linear(h, C), label)
}
train mlp20 for mlp(H = 24, C = 5) {
  data      csv("$reference/samples.csv", x = 0..11, label = 12)
  batch     40
  optimizer sgd(lr = 0.1, momentum = 0.9, weight_decay = 0.01)
  steps     20
  seed      1
}
plan alone for mlp20 on four { }
plan ring4 for mlp20 on four { mesh dp = 4; split B over dp; reduce grad over dp by ring }
PLAN


for plan in alone ring4; do
    "$ESPALIER" build "$work/parity.plan:$plan" -o "$work/$plan"
    "$work/$plan" --weights "$reference/weights.safetensors" --steps 1 --save "$work/one.safetensors" \
        --metrics "$work/one.jsonl" >"$work/out" 2>&1 || { cat "$work/out"; fail "$plan, one step"; }
    "$work/$plan" --weights "$reference/weights.safetensors" --save "$work/twenty.safetensors" \
        --metrics "$work/twenty.jsonl" >"$work/out" 2>&1 || { cat "$work/out"; fail "$plan, twenty steps"; }
    jq -r 'select(.step != null and .loss != null) | .loss' "$work/twenty.jsonl" >"$work/losses"
    echo "$plan"
    "$SAFETENSORS_COMPARE" gradients "$work/one.safetensors" "$reference/expected.safetensors" 1e-5 || fail "$plan: gradients"
    "$SAFETENSORS_COMPARE" weights "$work/twenty.safetensors" "$reference/expected.safetensors" 1e-5 || fail "$plan: weights"
    "$SAFETENSORS_COMPARE" losses "$work/losses" "$reference/expected.safetensors" 1e-5 || fail "$plan: losses"
done
