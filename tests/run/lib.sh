# lib.sh: what the scripts of tests/run/ share. ESPALIER names the compiler, SOURCE the source tree.
set -euo pipefail
SOURCE=${SOURCE:-$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")}
ESPALIER=${ESPALIER:-$SOURCE/build/espalier}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

# digits_plan FILE TRAIN-EXTRA PLANS: the digits model on eight workers, with the given plans.
digits_plan() {
    cat >"$1" <<PLAN
use nn, optim

cluster eight {
  node box {
    cpu worker[8] { memory 1 GiB }
    link worker <-> worker: 10 GB/s, 1 us
  }
}

model mlp(H: dim, C: dim) {
  input image: f32[B, P]
  input digit: id[B] below C
  h    = relu(linear(image, H))
  h    = relu(linear(h, H2 = H / 2))
  y    = linear(h, C)
  loss = cross_entropy(y, digit)
  metric accuracy = top1(y, digit)
}

train digits for mlp(H = 48, C = 10) {
  data      csv("$SOURCE/examples/digits/data/digits.csv", image = 0..63, digit = 64, scale = 1/16, holdout = 20%)
  optimizer sgd(lr = 0.1, momentum = 0.9)
  seed      7
  $2
}

$3
PLAN
}
