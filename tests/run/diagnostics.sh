#!/usr/bin/env bash
# What `check` prints: a file's mistakes of every kind together, in the order of the text; every file that is named is read.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
mkdir "$work/data"
cp "$SOURCE/examples/digits/data/digits.csv" "$work/data/"

cat >"$work/three.plan" <<'PLAN'
use nn, optim

model m(C: dim) {
  input image: f32[B, P]
  input digit: id[B] below C
  loss = cross_entropy(linaer(image, C), digit)
}

train t for m(C = 10) {
  data      csv("data/digits.csv", image = 0..63, digit = 64)
  batch     63
  optimizer sgd(lr = 0.1)
  epochs    1
}

cluster shelf { node box { cpu worker[7] { memory 1 } } }

plan seven for t on shelf { mesh dp = 7; split B over dp }
plan broken for t on shelf { mesh dp = }
PLAN
sed 's/linaer/linear/; s/memory 1 /memory 1 GiB /; s/mesh dp = }/mesh dp = 1 }/; s/split B over dp/split Q over dp/' "$work/three.plan" >"$work/one.plan"

# The codes and lines that `check` prints for some files, in order.
codes() {
    local code=0
    "$ESPALIER" check "$@" 2>"$work/said" || code=$?
    [ $code = 1 ] || { cat "$work/said"; fail "check $*: exit code $code"; }
    sed -n 's/^[^:]*:\([0-9]*\):[0-9]*: error:.*\[\(E[0-9]*\)\]$/\1:\2/p' "$work/said" | paste -sd' '
}
[ "$(codes "$work/three.plan")" = "6:E0201 16:E0215 19:E0102" ] || { cat "$work/said"; fail "not all of them, or others"; }
[[ "$(codes "$work/three.plan" "$work/one.plan")" == *E0102*E0230* ]] || { cat "$work/said"; fail "the second file was not read"; }
"$ESPALIER" build "$work/three.plan:seven" -o "$work/out" 2>/dev/null && fail "a wrong file was built"
[ ! -e "$work/out" ] || fail "a wrong file was built"
"$ESPALIER" build "$work/three.plan" --emit=ast >"$work/ast" 2>/dev/null && fail "a wrong file was printed"
[ ! -s "$work/ast" ] || fail "a wrong file was printed"
echo "diagnostics: together, and of every file"
