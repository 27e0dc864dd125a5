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

# The digits as npy (a file for each field) and as safetensors: 64 bytes of pixels a sample, one of the label.
perl -e '
    my ($csv, $folder) = @ARGV;
    open my $in, "<", $csv or die; my ($x, $y, $n) = ("", "", 0);
    while (<$in>) { my @v = split /,/; $x .= pack("C*", @v[0 .. 63]); $y .= pack("C", $v[64]); $n++ }
    sub put { open my $out, ">:raw", "$folder/$_[0]" or die; print $out $_[1]; close $out }
    sub npy {
        my $head = "{\x27descr\x27: \x27|u1\x27, \x27fortran_order\x27: False, \x27shape\x27: ($_[1]), }";
        $head .= " " x (64 - (length($head) + 11) % 64) . "\n";
        put($_[0], "\x93NUMPY\x01\x00" . pack("v", length $head) . $head . $_[2]);
    }
    npy("x.npy", "$n, 8, 8", $x); npy("y.npy", "$n,", $y);
    my $json = "{\"x\":{\"dtype\":\"U8\",\"shape\":[$n,64],\"data_offsets\":[0," . length($x) . "]},\"y\":{\"dtype\":\"U8\",\"shape\":[$n],\"data_offsets\":["
        . length($x) . "," . length($x . $y) . "]}}";
    put("digits.safetensors", pack("Q<", length $json) . $json . $x . $y);
' "$csv" "$work"

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
run_digits npy "npy(image = \"x.npy\", digit = \"y.npy\", $end"
run_digits safetensors "safetensors(\"digits.safetensors\", image = \"x\", digit = \"y\", $end"
for form in header quoted parts normalised npz idx npy safetensors; do
    cmp "$work/csv.losses" "$work/$form.losses" || fail "$form differs from csv"
    echo "$form: $(wc -l <"$work/$form.losses") rows as csv's"
done

# Held-out samples from a file of their own: here all samples once more, so that each form must give the same numbers.
for file in "$csv" "$files/digits.npz" "$work/digits.safetensors"; do cp "$file" "$work/held.${file##*.}"; done
for file in x.npy y.npy; do cp "$work/$file" "$work/held_$file"; done
for field in images labels; do cp "$files/digits_$field.idx.gz" "$work/held_$field.idx.gz"; done
run_digits csv_file "csv(\"$csv\", image = 0..63, digit = 64, scale = 1/16, holdout = \"held.csv\")"
[ "$(jq -c 'select(.[2] != null) | .[2].loss' "$work/csv_file.losses" | wc -l)" -ge 1 ] || fail "nothing was held out"
run_digits npz_file "npz(\"$files/digits.npz\", image = \"x\", digit = \"y\", scale = 1/16, holdout = \"held.npz\")"
run_digits safetensors_file "safetensors(\"digits.safetensors\", image = \"x\", digit = \"y\", scale = 1/16, holdout = \"held.safetensors\")"
run_digits npy_file "npy(image = \"x.npy\", digit = \"y.npy\", scale = 1/16, holdout(image = \"held_x.npy\", digit = \"held_y.npy\"))"
run_digits idx_file "idx(image = \"$files/digits_images.idx.gz\", digit = \"$files/digits_labels.idx.gz\", scale = 1/16, holdout(image = \"held_images.idx.gz\", digit = \"held_labels.idx.gz\"))"
for form in npz_file safetensors_file npy_file idx_file; do
    cmp "$work/csv_file.losses" "$work/$form.losses" || fail "$form differs from csv_file"
    echo "$form: as csv_file"
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

# The same text as tokens: 16 and 32 bits, bare and behind llm.c's headers; by share, and held out by file. Each as bytes.
for name in a b; do
    perl -0777 -ne 'print pack("v*", unpack("C*", $_))' "$work/$name.txt" >"$work/$name.u16"
    perl -0777 -ne 'print pack("V*", unpack("C*", $_))' "$work/$name.txt" >"$work/$name.u32"
    perl -0777 -ne 'print pack("V256", 20240520, 1, length), pack("v*", unpack("C*", $_))' "$work/$name.txt" >"$work/$name.llmc16"
    perl -0777 -ne 'print pack("V256", 20240801, 7, length), pack("V*", unpack("C*", $_))' "$work/$name.txt" >"$work/$name.llmc32"
done
run_text() { # NAME DATA -> losses
    sed "s|^  data .*|  data $2|" "$work/text.plan" >"$work/$1.plan"
    "$ESPALIER" run "$work/$1.plan" --metrics "$work/$1.jsonl" >"$work/$1.out" 2>&1 || { cat "$work/$1.out"; fail "$1 did not run"; }
    jq -c 'select(.summary == null) | [.step, .loss, .holdout]' "$work/$1.jsonl" >"$work/$1.losses"
}
for held in 'holdout = 10%' 'holdout = "b.HELD"'; do
    paths='"*.KIND"'
    [[ $held == *HELD* ]] && paths='"a.KIND"'
    run_text bytes "bytes(${paths/KIND/txt}, ${held/HELD/txt})"
    for form in "u16" "u32 type = uint32" "llmc16" "llmc32" "llmc16 header = yes" "u16 type = uint16, header = no"; do
        read -r kind option <<<"$form"
        run_text tokens "tokens(${paths/KIND/$kind}, ${option:+$option, }${held/HELD/$kind})"
        cmp "$work/bytes.losses" "$work/tokens.losses" || fail "tokens of $form with $held differ from bytes"
        echo "tokens $form, $held: $(wc -l <"$work/tokens.losses") rows as bytes'"
    done
done

# A damaged file ends the run before it begins, with its place.
sed '700s/,[0-9]*,/,,/' "$csv" >"$work/hole.csv"
digits_plan "$work/hole.plan" $'batch 60\n  steps 40' 'plan alone for digits on eight { }'
sed -i 's|^  data .*|  data csv("hole.csv", image = 0..63, digit = 64)|' "$work/hole.plan"
if "$ESPALIER" run "$work/hole.plan" >"$work/hole.out" 2>&1; then fail "a missing value was not refused"; fi
grep -q "hole.csv' line 700 column 1: a value of 'image' is missing" "$work/hole.out" || { cat "$work/hole.out"; fail "the missing value has no place"; }
grep "line 700" "$work/hole.out"
