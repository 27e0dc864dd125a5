#!/usr/bin/env bash
# GPT-2 and Llama as Hugging Face transformers publish and compute them (tests/reference/published.py): from their files, single and in
# shards, the logits to 1e-4, the loss and every gradient to 1e-5, 20 steps of AdamW; on one rank and on two. What is exported has
# the bits of what was loaded, under the same names. Files that do not fit are refused, with all that is wrong with them.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
reference="$SOURCE/tests/reference/published"

# The gradient of `probe`, which is zero, is the logits.
models() {
    cat <<'PLAN'
use nn, optim, weights

cluster pair {
  node box {
    cpu worker[2] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}

model gpt2(V: dim, S: dim, D: dim, A: dim, L: int) {
  input text: id[B, S] below V
  input next: id[B, S] below V
  param table: [V, D] init normal(0, 0.02)
  param probe: [B, S, V] init zeros
  x      = gather(table over V, text) + positions(S, D)
  x      = repeat L: gpt_block(x, A)
  logits = dot(layer_norm(x), table over D)
  loss   = cross_entropy(logits, next) + sum(probe * logits)
}

model llama(V: dim, S: dim, D: dim, A: dim, G: dim, F: dim, L: int) {
  input text: id[B, S] below V
  input next: id[B, S] below V
  param probe: [B, S, V] init zeros
  x      = embed(text, V, D)
  x      = repeat L: llama_block(x, A, F, G, base = 500000, eps = 1e-5)
  logits = linear(rms_norm(x, 1e-5), V, bias = no)
  loss   = cross_entropy(logits, next) + sum(probe * logits)
}
PLAN
}

# train NAME MODEL FORM FILE TOKENS BATCH EXTRA
train() {
    cat <<PLAN
train $1 for $2 {
  data      tokens("$reference/$3-$5.bin", header = no, type = uint16)
  init      from "$4" as $3 except probe
  batch     $6
  optimizer adamw(lr = 1e-3, betas = (0.9, 0.95), weight_decay = 0.1)
  steps     20
  $7
}
PLAN
}

sizes_gpt2="gpt2(V = 61, S = 16, D = 24, A = 4, L = 2)"
sizes_llama="llama(V = 61, S = 16, D = 24, A = 4, G = 2, F = 40, L = 2)"
{
    models
    for form in gpt2 llama; do
        sizes="sizes_$form"
        train "${form}_first" "${!sizes}" "$form" "$reference/$form.safetensors" first 1 ""
        train "$form" "${!sizes}" "$form" "$reference/$form-shards/model.safetensors.index.json" tokens 4 "freeze probe"
        echo "plan ${form}_logits for ${form}_first on pair { }"
        echo "plan ${form}_alone for $form on pair { }"
        echo "plan ${form}_both for $form on pair { mesh dp = 2; split B over dp; reduce grad over dp by ring }"
    done
} >"$work/published.plan"
"$ESPALIER" check "$work/published.plan" || fail "check"

for form in gpt2 llama; do
    expected="$reference/$form-expected.safetensors"
    "$ESPALIER" build "$work/published.plan:${form}_logits" -o "$work/first"
    "$work/first" --quiet --steps 1 --save "$work/first.safetensors" || fail "$form: logits"
    echo "$form: logits"
    "$SAFETENSORS_COMPARE" gradients "$work/first.safetensors" "$reference/$form-logits.safetensors" 1e-4 || fail "$form: logits"
    for plan in alone both; do
        "$ESPALIER" build "$work/published.plan:${form}_$plan" -o "$work/plan"
        "$work/plan" --quiet --steps 1 --save "$work/one.safetensors" || fail "$form, $plan: one step"
        "$work/plan" --quiet --save "$work/all.safetensors" --metrics "$work/all.jsonl" || fail "$form, $plan: twenty steps"
        jq -r 'select(.step != null and .loss != null) | "loss \(.loss)"' "$work/all.jsonl" >"$work/losses"
        echo "$form, $plan"
        "$SAFETENSORS_COMPARE" gradients "$work/one.safetensors" "$expected" 1e-5 || fail "$form, $plan: gradients"
        "$SAFETENSORS_COMPARE" series "$work/losses" "$expected" 1e-5 || fail "$form, $plan: losses"
        "$SAFETENSORS_COMPARE" weights "$work/all.safetensors" "$expected" 1e-5 || fail "$form, $plan: weights"
    done
done
