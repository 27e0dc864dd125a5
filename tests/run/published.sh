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

# What is written back is what was loaded, bit for bit, in one file and in shards; and a training goes on from it.
for form in gpt2 llama; do
    "$ESPALIER" build "$work/published.plan:${form}_logits" -o "$work/first"
    sed -e 's/ except probe//' -e '/param probe/d' -e 's/ + sum(probe \* logits)//' -e '/freeze/d' -e 's/lr = 1e-3/lr = 0/' \
        -e 's/weight_decay = 0.1/weight_decay = 0/' "$work/published.plan" >"$work/still.plan"
    "$ESPALIER" run "$work/still.plan:${form}_alone" -- --quiet --steps 1 --save "$work/still.safetensors" || fail "$form: a step of nothing"
    "$ESPALIER" export "$work/still.safetensors" -o "$work/model.safetensors" || fail "$form: export"
    "$SAFETENSORS_COMPARE" weights "$work/model.safetensors" "$reference/$form.safetensors" 0 >"$work/out" || { cat "$work/out"; fail "$form: export"; }
    "$SAFETENSORS_COMPARE" weights "$reference/$form.safetensors" "$work/model.safetensors" 0 >"$work/out" || { cat "$work/out"; fail "$form: export adds"; }
    "$ESPALIER" export "$work/still.safetensors" -o "$work/parts.safetensors" --as "$form" --shard-size 24KB || fail "$form: shards"
    "$SAFETENSORS_COMPARE" weights "$work/parts.safetensors.index.json" "$reference/$form.safetensors" 0 >"$work/out" ||
        { cat "$work/out"; fail "$form: shards"; }
    [ "$(find "$work" -name 'parts-0000?-of-0000?.safetensors' | wc -l)" -ge 3 ] || fail "$form: one shard"
    rm "$work"/parts*
done

# Files that do not fit, or are broken: refused by check and by the run, with the file and what is wrong.
refused() { # FILE WORDS
    sed "s|\"$reference/gpt2.safetensors\"|\"$1\"|" "$work/published.plan" >"$work/wrong.plan"
    "$ESPALIER" check "$work/wrong.plan" 2>"$work/out" && fail "$1: check finds nothing"
    grep -qF -- "$2" "$work/out" || { cat "$work/out"; fail "check does not say '$2'"; }
    if "$work/gpt2" --quiet --weights "$1" 2>"$work/out"; then fail "$1: the run goes on"; fi
    grep -qF -- "$2" "$work/out" || { cat "$work/out"; fail "the run does not say '$2'"; }
}
"$ESPALIER" build "$work/published.plan:gpt2_logits" -o "$work/gpt2"
refused "$reference/llama.safetensors" "tensor 'model.norm.weight' matches nothing of the plan"
refused "$reference/llama.safetensors" "tensor 'ln_f.weight' is missing: 'layer_norm.gain' begins from it"
head -c 60000 "$reference/gpt2.safetensors" >"$work/cut.safetensors"
refused "$work/cut.safetensors" "cut.safetensors"
mkdir "$work/shards"
cp "$reference/gpt2-shards"/*.safetensors "$work/shards"
index="$reference/gpt2-shards/model.safetensors.index.json"
sed 's/model-00002-of-00004/model-00009-of-00004/' "$index" >"$work/shards/missing.json"
refused "$work/shards/missing.json" "model-00009-of-00004.safetensors"
sed 's|model-00002-of-00004|../model-00002-of-00004|' "$index" >"$work/shards/outside.json"
refused "$work/shards/outside.json" "a file of the index must stand beside it"
sed 's/h.0.attn.c_attn.bias/h.0.attn.c_attn.weight/' "$index" >"$work/shards/twice.json"
refused "$work/shards/twice.json" "given twice"
head -c 900 "$work/shards/model-00003-of-00004.safetensors" >"$work/shards/cut"
mv "$work/shards/cut" "$work/shards/model-00003-of-00004.safetensors"
cp "$index" "$work/shards/index.json"
refused "$work/shards/index.json" "model-00003-of-00004.safetensors"
"$ESPALIER" check "$work/published.plan" || fail "what is right is refused"
sed 's/D = 24, A = 4, L = 2)/D = 24, A = 4, L = 3)/; s/V = 61/V = 64/' "$work/published.plan" >"$work/sizes.plan"
"$ESPALIER" check "$work/sizes.plan" 2>"$work/out" && fail "other sizes: check finds nothing"
grep -q "has the shape \[61, 24\], and 'table' needs \[64, 24\]" "$work/out" || { cat "$work/out"; fail "another shape is not named"; }
grep -q "tensor 'h.2.ln_1.weight' is missing" "$work/out" || { cat "$work/out"; fail "a layer that is missing is not named"; }

# The examples, small: GPT-2 from the file that transformers wrote, and the Llama over bytes.
mkdir -p "$work/set/data"
cp "$reference/gpt2-tokens.bin" "$work/set/data"
"$ESPALIER" build "$SOURCE/examples/gpt2/gpt2.plan:alone" -o "$work/gpt2" --set V=61 --set S=16 --set D=24 --set A=4 --set L=2 --set steps=2
(cd "$work" && ./gpt2 --quiet --data set --checkpoints "$work/kept" --weights "$reference/gpt2.safetensors" --metrics m.jsonl) || fail "examples/gpt2"
jq -es 'map(select(.step == 0)) | (.[0].loss - 4.69113423 | fabs) < 1e-4' "$work/m.jsonl" >/dev/null || fail "examples/gpt2: the first loss"
"$ESPALIER" export "$work/kept" -o "$work/tuned.safetensors" || fail "examples/gpt2: export"
"$ESPALIER" run "$SOURCE/examples/llama/llama.plan:alone" --set steps=3 --metrics "$work/l.jsonl" -- --quiet || fail "examples/llama"
jq -es 'map(select(.step != null and .loss < 7)) | length == 3' "$work/l.jsonl" >/dev/null || fail "examples/llama: its losses"
