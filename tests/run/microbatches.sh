#!/usr/bin/env bash
# A batch in microbatches is the batch: losses, gradients and weights to rounding on one, two and four ranks, with dropout and with
# repeated layers; batch norm sees a microbatch, as in PyTorch when gradients are accumulated; there is one reduction a step, and
# activations are a microbatch's.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

plans='plan alone for digits on eight { }
plan two for digits on eight { mesh dp = 2; split B over dp; reduce grad over dp by ring }
plan four for digits on eight { mesh dp = 4; split B over dp; reduce grad over dp by tree }
plan wide for digits on eight { mesh dp = 2; split B over dp; precision f64 }'
digits_plan "$work/d.plan" $'batch 64\n  steps 20\n  clip 0.5' "$plans"
sed -i 's|^  h    = relu(linear(image, H))|  h    = dropout(relu(linear(image, H)), 0.1)|; s|, holdout = 20%||' "$work/d.plan"

cat >"$work/t.plan" <<PLAN
use nn, optim
cluster four {
  node box {
    cpu worker[4] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}
layer block(x: [B, S, D], A: dim) -> [B, S, D] {
  h = x + self_attention(norm(x), A, causal, bias = no)
  return h + dropout(linear(gelu(linear(norm(h), F = 2 * D)), D), 0.1)
}
model gpt(V: dim, S: dim, D: dim, A: dim, L: int) {
  input text: id[B, S] below V
  input next: id[B, S] below V
  x    = embed(text, V, D) + positions(S, D)
  x    = repeat L: block(x, A)
  loss = cross_entropy(linear(norm(x), V), next)
  metric accuracy = top1(linear(norm(x), V), next)
}
train t for gpt(V = 256, S = 16, D = 16, A = 2, L = 3) {
  data      bytes("$SOURCE/LICENSE")
  batch     16
  optimizer adamw(lr = 1e-3)
  steps     10
}
plan alone for t on four { }
plan two for t on four { mesh dp = 2; split B over dp; reduce grad over dp by ring }
plan four for t on four { mesh dp = 4; split B over dp; reduce grad over dp by tree }
plan wide for t on four { mesh dp = 2; split B over dp; precision f64 }
PLAN

values() { jq -c 'select(.step != null) | [.loss, .grad_norm, .accuracy // 0]' "$1"; }
compare() { # FILE PLAN N TOLERANCE
    for n in 1 "$3"; do
        "$ESPALIER" build "$work/$1.plan:$2" --set "microbatches=$n" --verify-each -o "$work/run"
        "$work/run" --save "$work/$n.save" --metrics "$work/$n.jsonl" >"$work/out" 2>&1 || { cat "$work/out"; fail "$1 $2 in $n"; }
    done
    for what in weights gradients; do
        "$SAFETENSORS_COMPARE" $what "$work/$3.save" "$work/1.save" "$4" >"$work/out" || { cat "$work/out"; fail "$1 $2: $what in $3"; }
        echo "$1 $2 in $3: $what $(sort -g -k2 "$work/out" | tail -1)"
    done
    paste -d' ' <(values "$work/1.jsonl") <(values "$work/$3.jsonl") | jq -se --argjson most "$4" '
        def apart(a; b): (a - b | fabs) / ([(a | fabs), 1e-3] | max);
        . as $all | ($all | length) >= 20 and
        ([range(0; ($all | length); 2) | . as $i | range(0; 3) | apart($all[$i][.]; $all[$i + 1][.])] | max) <= $most * 10' >/dev/null ||
        fail "$1 $2 in $3: losses, norms or accuracies differ"
}
for plan in alone two four; do
    compare d "$plan" 4 1e-6
    compare t "$plan" 2 5e-6 # ten steps of adamw through attention, in f32; in f64 below
done
compare d wide 8 1e-12
compare t wide 4 1e-10

# One reduction a step however many microbatches, and activations of one.
explained() { "$ESPALIER" explain "$work/d.plan:four" --json --set "batch=512" --set "microbatches=$1" | jq ".ranks[0] | $2"; }
[ "$(explained 1 .communication)" = "$(explained 8 .communication)" ] || fail "microbatches change what is sent in a step"
[ "$(explained 8 .memory.activations)" -lt "$(($(explained 1 .memory.activations) / 4))" ] || fail "8 microbatches need as many activations as one"
echo "activations of 512 samples: $(explained 1 .memory.activations) bytes, in 8 microbatches $(explained 8 .memory.activations)"

# Resumed, with microbatches before and after, and only before.
sed -i 's|^  seed .*|&\n  checkpoint every 10 steps to "ckpt"|' "$work/d.plan"
"$ESPALIER" build "$work/d.plan:two" --set microbatches=4 -o "$work/run"
"$work/run" --quiet --checkpoints "$work/straight" --save "$work/straight.save"
"$work/run" --quiet --checkpoints "$work/half" --steps 10
cp -r "$work/half" "$work/other"
"$work/run" --quiet --checkpoints "$work/half" --resume --save "$work/resumed.save"
cmp "$work/straight.save" "$work/resumed.save" || fail "resuming changed the training"
"$ESPALIER" build "$work/d.plan:two" -o "$work/run"
"$work/run" --quiet --checkpoints "$work/other" --resume --save "$work/resumed.save"
"$SAFETENSORS_COMPARE" weights "$work/resumed.save" "$work/straight.save" 1e-6 >"$work/out" || { cat "$work/out"; fail "resumed without microbatches"; }

# Batch norm: a step of two microbatches leaves the running values that two steps of their size leave when nothing is learnt.
digits_plan "$work/n.plan" $'batch 40\n  steps 3\n' "$plans"
sed -i 's|^  optimizer .*|  optimizer sgd(lr = 0)|; s|^  h    = relu(linear(image, H))|  h    = relu(batch_norm(linear(image, H)))|; s|, holdout = 20%||' "$work/n.plan"
for plan in alone four; do
    "$ESPALIER" build "$work/n.plan:$plan" --set microbatches=2 -o "$work/halves"
    "$work/halves" --quiet --save "$work/halves.save" --metrics "$work/halves.jsonl"
    "$ESPALIER" build "$work/n.plan:$plan" --set batch=20 --set steps=6 -o "$work/steps"
    "$work/steps" --quiet --save "$work/steps.save" --metrics "$work/steps.jsonl"
    "$SAFETENSORS_COMPARE" weights "$work/halves.save" "$work/steps.save" 1e-6 >"$work/out" || { cat "$work/out"; fail "running values of $plan"; }
    jq -n --slurpfile a "$work/halves.jsonl" --slurpfile b "$work/steps.jsonl" -e '
        [range(0; 3) | ($a[.].loss - ($b[2 * .].loss + $b[2 * . + 1].loss) / 2 | fabs)] | max < 1e-6' >/dev/null || fail "losses of $plan under batch norm"
done
echo "batch norm: a microbatch's statistics"
