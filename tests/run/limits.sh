#!/usr/bin/env bash
# Plan files as large and as hostile as they may be: `check` ends, in bounded memory, with nothing to say or with the error that
# it should give. The table says how long each took; a hang is ten seconds here, as machines are shared.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
most_seconds=10 most_kib=$((256 * 1024))
[ -z "${SANITIZE:-}" ] || { most_seconds=120 most_kib=$((4096 * 1024)); }

# times N TEXT: N copies, with what `@` stands for counted from 0.
times() {
    awk -v n="$1" -v text="$2" 'BEGIN {
        parts = split(text, part, "@")
        for (i = 0; i < n; i++) {
            printf "%s", part[1]
            for (k = 2; k <= parts; k++) printf "%d%s", i, part[k]
        }
    }'
}

model='model m(H: dim) {
  input x: f32[B, P]
  input y: id[B] below 4
  h = relu(linear(x, H))
  loss = cross_entropy(linear(h, C = 4), y)
}
'
train() {
    printf 'train %s for m(H = 8) {\n  data csv("d.csv", x = 0..7, y = 8)\n  batch 4096\n  optimizer sgd(lr = 0.1)\n  epochs 1\n}\n' "$1"
}
switched() { printf 'use nn, optim\ncluster c {\n  node box[%d] { cpu worker { memory 1 GiB } }\n  switch s over box.worker: 10 GB/s, 1 us\n}\n' "$1"; }
linked() { printf 'use nn, optim\ncluster c {\n  node box {\n    cpu worker[%d] { memory 1 GiB }\n    link worker <-> worker: 10 GB/s, 1 us\n  }\n}\n' "$1"; }
# plan RANKS TOPOLOGY: of train t on cluster c.
plan() { printf 'plan p for t on c { mesh dp = %d; split B over dp; reduce grad over dp by %s }\n' "$1" "$2"; }

# check_file NAME EXPECTED: the file on standard input; "" expects no error.
check_file() {
    cat >"$work/$1.plan"
    read -r code seconds kib <<<"$("$PEAK" $most_seconds "$ESPALIER" check "$work/$1.plan" 2>"$work/said")"
    local said
    said=$(grep -m1 -oE '\[E[0-9]+\]$' "$work/said" | tr -d '[]') || true
    printf '  %-28s %9d bytes  %-6s %6.2f s %6d MiB\n' "$1" "$(stat -c %s "$work/$1.plan")" "${said:--}" "$seconds" $((kib / 1024))
    [ "$said" = "$2" ] || { head -5 "$work/said"; fail "$1: '$said', not '$2'"; }
    [ "$code" = "$([ -n "$2" ] && echo 1 || echo 0)" ] || fail "$1: exit code $code"
    [ "$kib" -le "$most_kib" ] || fail "$1: $kib KiB resident, more than $most_kib"
}

echo "limits: files of many plans, trains, layers and ranks"
for topology in ring halving direct tree auto trees; do
    { switched 1024; printf '%s' "$model"; train t; plan 1024 $topology; } | check_file "${topology}_1024" ""
done
{ switched 2048; printf '%s' "$model"; train t; plan 2048 ring; } | check_file ring_2048 E0337
for topology in ring auto trees; do
    { linked 512; printf '%s' "$model"; train t; plan 512 $topology; } | check_file "${topology}_512_linked" ""
done
{ linked 1024; printf '%s' "$model"; train t; plan 1024 ring; } | check_file ring_1024_linked E0238
{ switched 64; printf '%s' "$model"; train t; times 5000 "$(plan 64 ring | sed 's/plan p/plan p@/')"$'\n'; } | check_file 5000_plans ""
{ switched 512; printf '%s' "$model"; train t
  printf 'topology w(n, k) {\n  chunks n\n  for s in 0 ..< n-1, r in 0 ..< n: send (r - s) from r to r + 1 reduce\n'
  printf '  for s in 0 ..< n-1, r in 0 ..< n: send (r + 1 - s) from r to r + 1 copy\n}\n'
  times 500 "$(plan 512 'w(k = @)' | sed 's/plan p/plan p@/')"$'\n'; } | check_file 500_different_rings E0238
{ echo 'use nn, optim'; printf '%s' "$model"; times 3000 "$(train t@)"$'\n'; } | check_file 3000_trains ""
{ printf 'use nn, optim\nmodel m(H: dim) {\n  input x: f32[B, P]\n  input y: id[B] below 4\n  h0 = linear(x, H)\n'
  awk 'BEGIN { for (i = 0; i < 20000; i++) printf "  h%d = linear(h%d, H)\n", i + 1, i }'
  printf '  loss = cross_entropy(linear(h20000, C = 4), y)\n}\n'; train t; } | check_file 20000_layers E0238
times 200 'cluster c@ { node box { cpu worker[511] { memory 1 GiB }; link worker <-> worker: 10 GB/s, 1 us } }'$'\n' | check_file 200_large_clusters E0238
times 50 'topology t@(n) { chunks n; for a in 0 ..< 1000000000 { for b in 0 ..< 1000000000 { x = a + b } } }'$'\n' | check_file 50_endless_topologies E0337
{ echo 'use nn, optim'; echo 'layer l0(x) { return relu(x) }'
  awk 'BEGIN { for (i = 1; i < 80; i++) printf "layer l%d(x) { return l%d(x) + l%d(x) }\n", i, i - 1, i - 1 }'
  printf '%s' "${model/relu(/l79(}"; train t; } | check_file layers_that_double E0238

echo "limits: nesting, lengths, numbers, bytes"
times 1000000 '(' | check_file brackets E0102
times 60000 'model m { if 1 { ' | check_file blocks E0102
{ printf 'model m() { x = '; times 1000000 '-'; echo '1 }'; } | check_file signs E0109
{ switched 4; printf '%s' "${model/relu(linear(x, H))/relu(x)$(times 100000 ' + 1')}"; train t; } | check_file sums E0109
times 300000 '({[' | check_file brackets_of_all_kinds E0105
{ printf 'topology t(n) {\n chunks n\n'; times 30000 "link a <-> '\$x{}a("; } | check_file statements_on_one_line E0114
{ printf 'topology t(n) {\n chunks n\n'; times 30000 '}node a {1 1 GiB '; } | check_file misspelt_on_one_line E0103
{ head -c 900000 /dev/zero | tr '\0' ' '; printf '"'; head -c 100000 /dev/zero; } | check_file zeros_in_a_string E0104
{ printf 'layer '; times 1000000 x; echo '(x) { return x }'; } | check_file name E0108
{ switched 4; printf '%s' "$model"; train t | sed "s/0\.1/$(times 10000 9)/"; } | check_file number E0110
times 1000000 $'\377' | check_file not_utf8 E0101
head -c 1000000 /dev/zero | check_file zeros E0101
times 10485760 x | check_file 10_megabytes E0107
times 2700000 $'# c\n' | check_file 10_megabytes_of_comments E0107
times 30000 'layer a(x) { return relu(x) }'$'\n' | check_file 30000_of_one_name E0203
{ printf 'use nn, optim\nmodel m(H: dim) {\n'; times 25000 '  a@ = nothere@(b@, c@)'$'\n'; echo '}'; } | check_file 25000_errors E0201
{ printf 'model m(H: dim)'; times 900000 $'\n'; printf '{\n}\n'; } | check_file head_far_from_its_brace E0223
times 200000 $'# c\n' >"$work/half.plan"
{ echo 'import "half.plan"'; times 200000 $'# d\n'; } | check_file import_beyond_1_megabyte E0205

# format_file NAME: the file on standard input, formatted in bounded time and memory into no more than a few times its size.
format_file() {
    cat >"$work/$1.plan"
    read -r code seconds kib <<<"$("$PEAK" $most_seconds sh -c '"$1" fmt - <"$2" >"$3"' sh "$ESPALIER" "$work/$1.plan" "$work/formatted" 2>"$work/said")"
    printf '  %-28s %9d bytes  %-6s %6.2f s %6d MiB\n' "$1" "$(stat -c %s "$work/$1.plan")" fmt "$seconds" $((kib / 1024))
    [ "$code" = 0 ] || { head -5 "$work/said"; fail "fmt $1: exit code $code"; }
    [ "$(stat -c %s "$work/formatted")" -le $((4 * $(stat -c %s "$work/$1.plan"))) ] || fail "fmt $1: it grew"
}
echo "limits: formatted"
times 400000 $'#\n' | format_file comments
{ printf 'model m(H: dim) {\n  y = a'; times 30 ' + x@'; printf ' + f('; times 50000 $'x,\n'; printf 'x)\n'; times 50000 $'  b = x  # d\n'; echo '}'; } | format_file behind_a_wide_line
{ printf 'model m(H: dim)'; times 900000 $'\n'; printf '{\n}\n'; } | format_file head_far_from_its_brace
