#!/usr/bin/env bash
# Samples: at temperature 0 the ids are those of Hugging Face transformers for GPT-2 and Llama, from files as it stores them
# (tests/reference/sampling.py made files and ids); a training's sample is that of what it saved, on any number of ranks; seeds, prompts and refusals.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

for model in gpt2 llama; do
    { read -r prompt; read -r ids; } <"$SOURCE/tests/reference/sampling/$model.ids"
    drawn=$(($(wc -w <<<"$ids") - $(wc -w <<<"$prompt")))
    said=$("$ESPALIER" sample "$SOURCE/tests/reference/sampling/$model.safetensors" --temperature 0 --length $drawn \
        --plan "$SOURCE/tests/reference/sampling/$model.plan:small" --prompt-ids "$prompt")
    [ "$said" = "$ids" ] || fail "$model: transformers says $ids, and this is $said"
    echo "sample: $model, $drawn ids as transformers has them"
done

cat >"$work/text.plan" <<PLAN
use nn, optim
cluster box { node n { cpu w[4] { memory 1 GiB } } }
model gpt(V: dim, S: dim, D: dim, A: dim, L: int) {
  input text: id[B, S] below V
  input next: id[B, S] below V
  x = embed(text, V, D) + positions(S, D)
  x = repeat L: gpt_block(x, A)
  loss = cross_entropy(linear(layer_norm(x), V), next)
}
train t for gpt(V = 256, S = 16, D = 16, A = 2, L = 2) {
  data bytes("$SOURCE/README.md", holdout = 10%)
  batch 16
  optimizer adam(lr = 1e-2)
  steps 12
  seed 3
  sample "What it does" length 60, temperature 0.9, top_k 30, top_p 0.95, seed 5, every 6 steps
}
plan four for t on box { mesh dp = 4; split B over dp }
plan alone for t on box { }
PLAN
"$ESPALIER" build "$work/text.plan:four" -o "$work/four"
"$work/four" --save "$work/four.st" --threads 1 >"$work/out"
[ "$(grep -c '^sample behind step \(6\|12\):$' "$work/out")" = 2 ] || { cat "$work/out"; fail "not two samples"; }
sed -n '/^sample behind step 12:$/,/^t by four/p' "$work/out" | sed '1d;$d' >"$work/printed"
[ "$(wc -c <"$work/printed")" -ge 73 ] || fail "the sample is short"
"$ESPALIER" sample "$work/four.st" >"$work/again"
cmp "$work/printed" "$work/again" || fail "what was saved says something else than the training said"
"$work/four" --quiet --steps 1 >"$work/out"
[ ! -s "$work/out" ] || fail "--quiet prints a sample"

behind() { "$ESPALIER" sample "$work/four.st" --prompt "$@"; }
draw() { behind "# Esp" --length 40 "$@"; }
draw --seed 1 >"$work/one"
draw --seed 1 >"$work/same"
draw --seed 2 >"$work/two"
cmp -s "$work/one" "$work/same" || fail "one seed, two texts"
! cmp -s "$work/one" "$work/two" || fail "two seeds, one text"
draw --temperature 0 --seed 1 >"$work/cold"
draw --top-k 1 --seed 9 >"$work/first"
cmp -s "$work/cold" "$work/first" || fail "the likeliest of one is not the likeliest"
grep -q "^# Esp" "$work/one" || fail "the prompt is not printed"

# A prompt longer than the context: its end alone is seen.
long=$(printf 'x%.0s' {1..20})plans-of-training
behind "$long" --temperature 0 --length 4 >"$work/long"
behind "${long: -16}" --temperature 0 --length 4 >"$work/short"
[ "$(tail -c 5 "$work/long")" = "$(tail -c 5 "$work/short")" ] || fail "a long prompt is not seen by its end"

refused() { # WORDS COMMAND...
    local words=$1 code=0
    shift
    "$@" >"$work/said" 2>&1 || code=$?
    [ $code != 0 ] && grep -qF -- "$words" "$work/said" || { cat "$work/said"; fail "'$*' ends with $code, and not so: $words"; }
}
gpt2="$SOURCE/tests/reference/sampling/gpt2"
refused "cannot read" "$ESPALIER" sample "$work/none.st" --plan "$work/text.plan"
refused "the prompt has id 61, and ids are below 61" "$ESPALIER" sample $gpt2.safetensors --plan $gpt2.plan:small --prompt-ids 3,61
refused "are no bytes" "$ESPALIER" sample $gpt2.safetensors --plan $gpt2.plan:small --prompt hello
refused "needs a prompt" "$ESPALIER" sample $gpt2.safetensors --plan $gpt2.plan:small
refused "where an id is expected" "$ESPALIER" sample $gpt2.safetensors --plan $gpt2.plan:small --prompt-ids "3 -4"
refused "'--temperature' takes" "$ESPALIER" sample "$work/four.st" --temperature cold
refused "do not fit the plan's own names" "$ESPALIER" sample $gpt2.safetensors --plan "$work/text.plan:t"
refused "E0240" "$ESPALIER" sample $gpt2.safetensors --plan "$work/text.plan:nobody"
head -c 2000 "$work/four.st" >"$work/cut.st"
refused "cut.st" "$ESPALIER" sample "$work/cut.st" --plan "$work/text.plan:t"
echo "sample: a training's sample, seeds, prompts and refusals"
