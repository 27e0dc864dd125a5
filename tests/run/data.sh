#!/usr/bin/env bash
# The same samples from every form of file: the training has the same losses, bit for bit; and text as bytes and tokens trains.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

files=$SOURCE/tests/reference/files
csv=$SOURCE/examples/digits/data/digits.csv
names=$(seq -s ';' -f 'p%g' 0 63)
{ echo "$names;label"; tr ',' ';' <"$csv"; } >"$work/header.csv"
sed 's/[^,]*/"&"/g' "$csv" | sed 's/$/\r/' >"$work/quoted.csv"
head -n 1000 "$csv" >"$work/part1.csv"
tail -n +1001 "$csv" >"$work/part2.csv"

run_digits() { # NAME DATA -> losses of the steps and of the held-out samples, as written
    digits_plan "$work/$1.plan" $'batch 60\n  steps 40' 'plan two for digits on eight { mesh dp = 2; split B over dp; reduce grad over dp by ring }'
    sed -i "s|^  data .*|  data $2|" "$work/$1.plan"
    sed -i 's|\[B, P\]|[B, P = 64]|' "$work/$1.plan" # only csv says by its columns how many there are
    "$ESPALIER" run "$work/$1.plan" --metrics "$work/$1.jsonl" >"$work/$1.out" 2>&1 || { cat "$work/$1.out"; fail "$1 did not run"; }
    jq -c 'select(.summary == null) | [.step, .loss, .holdout]' "$work/$1.jsonl" >"$work/$1.losses"
}

end='scale = 1/16, holdout = 20%)'
run_digits csv "csv(\"$csv\", image = 0..63, digit = 64, $end"
[ "$(wc -l <"$work/csv.losses")" -ge 40 ] || fail "csv wrote $(wc -l <"$work/csv.losses") rows"
run_digits header "csv(\"header.csv\", image = 0..63, digit = \"label\", delimiter = \";\", $end"
run_digits quoted "csv(\"quoted.csv\", image = 0..63, digit = 64, header = no, $end"
run_digits parts "csv(\"part*.csv\", image = 0..63, digit = 64, $end"
run_digits normalised "csv(\"$csv\", image = 0..63, digit = 64, mean = -8, std = 16, shift = -8, holdout = 20%)"
run_digits npz "npz(\"$files/digits.npz\", image = \"x\", digit = \"y\", $end"
run_digits idx "idx(image = \"$files/digits_images.idx.gz\", digit = \"$files/digits_labels.idx.gz\", $end"
for form in header quoted parts normalised npz idx; do
    cmp "$work/csv.losses" "$work/$form.losses" || fail "$form differs from csv"
    echo "$form: $(wc -l <"$work/$form.losses") rows as csv's"
done

cat >"$work/text.plan" <<PLAN
use nn, optim
cluster pair {
  node box {
    cpu worker[2] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}
model bigram(V: dim, S: dim) {
  input text: id[B, S] below V
  input next: id[B, S] below V
  loss = cross_entropy(linear(embed(text, V, D = 16), V), next)
}
train t for bigram(V = 256, S = 32) {
  data      bytes("*.txt", holdout = 10%)
  batch     16
  optimizer sgd(lr = 0.5, momentum = 0.9)
  steps     100
}
plan two for t on pair { mesh dp = 2; split B over dp; reduce grad over dp by tree }
PLAN
cp "$SOURCE/LICENSE" "$work/a.txt"
cp "$SOURCE/README.md" "$work/b.txt"
"$ESPALIER" run "$work/text.plan" --metrics "$work/text.jsonl" >"$work/text.out" 2>&1 || { cat "$work/text.out"; fail "bytes did not run"; }
loss=$(jq -s 'map(select(.holdout != null)) | last | .holdout.loss' "$work/text.jsonl")
jq -ne "$loss < 4.0 and $loss > 1" >/dev/null || fail "a bigram of bytes has a held-out loss of $loss nats, not below 4 (5.55 is chance)"
echo "bytes: held-out loss $loss nats after 100 steps"

# A damaged file ends the run before it begins, with its place.
sed '700s/,[0-9]*,/,,/' "$csv" >"$work/hole.csv"
digits_plan "$work/hole.plan" $'batch 60\n  steps 40' 'plan alone for digits on eight { }'
sed -i 's|^  data .*|  data csv("hole.csv", image = 0..63, digit = 64)|' "$work/hole.plan"
if "$ESPALIER" run "$work/hole.plan" >"$work/hole.out" 2>&1; then fail "a missing value was not refused"; fi
grep -q "hole.csv' line 700 column 1: a value of 'image' is missing" "$work/hole.out" || { cat "$work/hole.out"; fail "the missing value has no place"; }
grep "line 700" "$work/hole.out"
