#!/usr/bin/env bash
# Averaged weights (tests/run/parity.sh has them beside PyTorch's): with a decay of 0 they are the parameters, bit for bit, of
# repeated layers and on several ranks too; held-out samples are evaluated by them; a resumed run goes on with them.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

cat >"$work/a.plan" <<PLAN
use nn, optim
cluster four {
  node box {
    cpu worker[4] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}
layer block(x: [B, S, D]) -> [B, S, D] {
  return x + dropout(linear(gelu(linear(norm(x), F = 2 * D)), D), 0.1)
}
model m(V: dim, S: dim, D: dim, L: int) {
  input text: id[B, S] below V
  input next: id[B, S] below V
  x    = embed(text, V, D)
  x    = repeat L: block(x)
  loss = cross_entropy(linear(norm(x), V), next)
}
train t for m(V = 256, S = 16, D = 16, L = 3) {
  data       bytes("$SOURCE/LICENSE", holdout = 10%)
  batch      16
  optimizer  adamw(lr = 1e-2)
  steps      20
  freeze     block.norm
  checkpoint every 10 steps to "ckpt"
}
plan alone for t on four { }
plan four for t on four { mesh dp = 4; split B over dp; reduce grad over dp by tree }
PLAN

held() { jq -c 'select(.holdout != null and .summary == null) | .holdout' "$1"; }
for plan in alone four; do
    "$ESPALIER" build "$work/a.plan:$plan" -o "$work/run"
    "$work/run" --quiet --checkpoints "$work/$plan.ckpt" --metrics "$work/plain.jsonl"
    "$ESPALIER" build "$work/a.plan:$plan" --set 'average=ema(decay = 0)' --verify-each -o "$work/run"
    "$work/run" --checkpoints "$work/$plan.zero" --metrics "$work/zero.jsonl" --save "$work/zero.save" >"$work/out"
    grep -q "held out, averaged weights: loss" "$work/out" || { cat "$work/out"; fail "$plan does not say what is evaluated"; }
    [ "$(held "$work/plain.jsonl")" = "$(held "$work/zero.jsonl")" ] || fail "$plan: the parameters themselves evaluate otherwise"
    "$SAFETENSORS_COMPARE" averages "$work/zero.save" "$work/zero.save" 0 >"$work/compared" || { cat "$work/compared"; fail "$plan: an average is not the parameter"; }
    grep -q "block.linear.w" "$work/compared" && ! grep -q "block.norm" "$work/compared" || { cat "$work/compared"; fail "$plan: not the trained parameters"; }
    "$ESPALIER" build "$work/a.plan:$plan" --set 'average=ema(decay = 0.9)' -o "$work/run"
    "$work/run" --quiet --checkpoints "$work/$plan.straight" --save "$work/straight.save" --metrics "$work/straight.jsonl"
    [ "$(held "$work/plain.jsonl")" != "$(held "$work/straight.jsonl")" ] || fail "$plan: an average evaluates as the parameters do"
    "$work/run" --quiet --checkpoints "$work/$plan.half" --steps 10
    "$work/run" --quiet --checkpoints "$work/$plan.half" --resume --save "$work/resumed.save"
    cmp "$work/straight.save" "$work/resumed.save" || fail "$plan: resuming changed the average"
    echo "$plan: $(wc -l <"$work/compared") averages"
done
