#!/usr/bin/env bash
# A training stopped and resumed is the training that went through: bit for bit on the same layout, to 1e-6 on another one. A
# folder's checkpoints are pruned, never mixed with another run's, and the last good one survives kill -9 and damage.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

plans='plan alone for digits on eight { }
plan two for digits on eight { mesh dp = 2; split B over dp; reduce grad over dp by ring }
plan four for digits on eight { mesh dp = 4; split B over dp; reduce grad over dp by tree }
plan wide for digits on eight { mesh dp = 2; split B over dp; precision f64 }'
digits_plan "$work/c.plan" $'batch 64\n  steps 20\n  checkpoint every 5 steps to "ckpt", keep 3' "$plans"
# State of every kind: batch norm has running values, adamw two moments, dropout random numbers; the rate depends on the step.
# No bias before the norm: its gradient is zero but for rounding, which adamw makes as large as any other.
sed -i 's|^  optimizer .*|  optimizer adamw(lr = cosine(0.01, warmup = 5))|
        s|^  h    = relu(linear(image, H))|  h    = dropout(relu(batch_norm(linear(image, H, bias = no))), 0.1)|' "$work/c.plan"
grep -q batch_norm "$work/c.plan" && grep -q adamw "$work/c.plan" || fail "the plan is not the one that is meant"
for plan in alone two four wide; do
    "$ESPALIER" build "$work/c.plan:$plan" -o "$work/$plan"
    "$work/$plan" --checkpoints "$work/$plan.straight" --save "$work/$plan.save" >"$work/out" 2>&1 || { cat "$work/out"; fail "$plan"; }
    "$work/$plan" --checkpoints "$work/$plan.half" --steps 10 --quiet
    [ "$(ls "$work/$plan.straight" | tr '\n' ' ')" = "step-00000010.safetensors step-00000015.safetensors step-00000020.safetensors " ] ||
        fail "$plan keeps $(ls "$work/$plan.straight")"
done

resume() { # FROM TO: goes on in a copy of FROM's folder under TO's layout
    rm -rf "$work/ckpt"
    cp -r "$work/$1.half" "$work/ckpt"
    "$work/$2" --resume --metrics "$work/m.jsonl" --save "$work/resumed.save" >"$work/out" 2>&1 || { cat "$work/out"; fail "$1 resumed by $2"; }
    grep -q "resumed from '$(readlink -f "$work")/ckpt/step-00000010.safetensors': 10 of 20 steps are done" "$work/out" || { cat "$work/out"; fail "$2 does not say what it goes on from"; }
    [ "$(jq -s 'map(select(.step != null)) | length, .[0].step' "$work/m.jsonl" | tr '\n' ' ')" = "10 10 " ] || fail "$2 did not make the steps 10 to 19"
    rm "$work/m.jsonl"
}
for plan in alone two four wide; do
    resume "$plan" "$plan"
    cmp "$work/resumed.save" "$work/$plan.save" || fail "$plan: resuming changed the training"
    cmp "$work/ckpt/step-00000020.safetensors" "$work/$plan.straight/step-00000020.safetensors" || fail "$plan: the last checkpoints differ"
done
echo "same layout: every bit of parameters, moments, running values and gradients"
for pair in "alone two" "alone four" "two alone" "two four" "four alone" "four two"; do
    resume ${pair}
    "$SAFETENSORS_COMPARE" weights "$work/resumed.save" "$work/${pair%% *}.save" 1e-6 >"$work/out" || { cat "$work/out"; fail "$pair"; }
    echo "$pair: $(sort -g -k2 "$work/out" | tail -1)"
done

# Each file says what it was compiled from, in texts that are those of the plan file and of the standard library.
for file in "$work/alone.straight/step-00000020.safetensors" "$work/alone.save"; do
    head -c "$((8 + $(od -An -tu8 -N8 "$file")))" "$file" | tail -c +9 | jq -r '.__metadata__["espalier.source"]' >"$work/source.json"
    [ "$(jq -r .plan "$work/source.json")" = alone ] || fail "$file does not name its plan"
    jq -j '.files[] | select(.name | endswith("c.plan")) | .text' "$work/source.json" | cmp - "$work/c.plan" || fail "$file has not the plan file's text"
    jq -j '.files[] | select(.name == "stdlib/optim.plan") | .text' "$work/source.json" | cmp - "$SOURCE/stdlib/optim.plan" || fail "$file has not the library's text"
done

refuse() { # STATUS PATTERN COMMAND...
    local status=$1 pattern=$2 code=0
    shift 2
    "$@" >"$work/out" 2>&1 || code=$?
    [ "$code" = "$status" ] && grep -q -- "$pattern" "$work/out" || { cat "$work/out"; fail "$* ended with $code, not $status and '$pattern'"; }
    grep -m 1 -- "$pattern" "$work/out"
}
# Nothing is overwritten, mixed or taken from elsewhere unasked.
refuse 5 "holds checkpoints of another run, up to step 20" "$work/alone"
refuse 5 "holds checkpoints of another run, up to step 20" "$work/alone" --resume "$work/alone.half"
refuse 5 "holds checkpoints of another run, up to step 20" "$work/alone" --resume "$work/ckpt/step-00000010.safetensors"
refuse 0 "nothing is left to train" "$work/two" --resume
refuse 2 "'--weights' has no place" "$work/two" --resume --weights x
refuse 5 "No such file" "$work/two" --resume "$work/nowhere"
refuse 0 "from the beginning" "$work/two" --resume --checkpoints "$work/new" --steps 3
[ "$(ls "$work/new")" = step-00000003.safetensors ] || fail "the last step is not written"
refuse 5 "cannot make the folder" "$work/two" --checkpoints "$work/c.plan/ckpt"
sed 's/seed      7/seed      8/' "$work/c.plan" >"$work/d.plan"
"$ESPALIER" build "$work/d.plan:alone" -o "$work/other_seed"
refuse 5 "was trained with seed 7, and the plan says 8" "$work/other_seed" --resume
"$ESPALIER" build "$work/c.plan:alone" --set batch=48 -o "$work/other_batch"
refuse 5 "are no whole batches of 48" "$work/other_batch" --resume

# A damaged newest one is named and passed over; when all are damaged, nothing begins by itself.
newest=$work/ckpt/step-00000020.safetensors
truncate -s -1 "$newest"
refuse 0 "warning: .*step-00000020" "$work/two" --resume
grep -q "resumed from .*step-00000015" "$work/out" || { cat "$work/out"; fail "the one before is not taken"; }
refuse 0 "step-00000020.safetensors': 20 of 20" "$work/two" --resume
for file in "$work"/ckpt/*; do truncate -s -1 "$file"; done
refuse 5 "is whole" "$work/two" --resume

# Killed again and again while it writes after every step: there is always one to go on from, and it never goes back.
digits_plan "$work/k.plan" $'batch 120\n  steps 1_000_000\n  checkpoint every step to "k", keep 2' "$plans"
"$ESPALIER" build "$work/k.plan:two" -o "$work/k2"
before=0
for round in 1 2 3 4 5 6 7 8; do
    setsid "$work/k2" --resume >"$work/out" 2>&1 &
    launcher=$!
    sleep "0.$((2 + RANDOM % 6))"
    kill -KILL "$launcher"
    wait "$launcher" 2>/dev/null || true
    grep -qi "warning\|error" "$work/out" && { cat "$work/out"; fail "round $round lost a checkpoint"; }
    steps=$(sed -n "s/^resumed from .*: \([0-9]*\) of .*/\1/p" "$work/out")
    [ "${steps:-0}" -ge "$before" ] || fail "round $round went back to step ${steps:-0} from $before"
    before=${steps:-0}
done
[ "$before" -gt 0 ] || fail "nothing was ever resumed"
[ "$(find "$work/k" -name '*.safetensors' | wc -l)" -le 3 ] || fail "old checkpoints are left: $(ls "$work/k")"
echo "killed 8 times while writing: resumed each time, last after step $before"
