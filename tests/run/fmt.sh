#!/usr/bin/env bash
# `espalier fmt` on files: in place and only where it must, --check, standard input, files with errors, line ends, and the whole
# tree, whose formatted files are the same plans.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
cd "$work"

printf 'plan p for t on c{mesh dp=4;split B over dp}\r\n\r\n\r\n\r\n# over\ttabs\t\r\nuse nn' >rough.plan
printf 'plan p for t on c { mesh dp = 4; split B over dp }\n\n# over\ttabs\nuse nn\n' >wanted.plan
cp rough.plan mine.plan
chmod 640 mine.plan
code=0
"$ESPALIER" fmt --check mine.plan wanted.plan 2>said || code=$?
[ $code = 1 ] || fail "--check of a rough file ends with $code"
[ "$(wc -l <said)" = 1 ] && grep -q "'mine.plan'" said || { cat said; fail "--check names other files"; }
cmp -s mine.plan rough.plan || fail "--check has written"
"$ESPALIER" fmt mine.plan
cmp mine.plan wanted.plan || { cat mine.plan; fail "the canonical form"; }
[ "$(stat -c %a mine.plan)" = 640 ] || fail "the file's mode changed"
"$ESPALIER" fmt --check mine.plan || fail "a formatted file is not in the canonical form"
before=$(stat -c %i mine.plan)
"$ESPALIER" fmt mine.plan
[ "$(stat -c %i mine.plan)" = "$before" ] || fail "a canonical file was written again"
"$ESPALIER" fmt - <rough.plan | cmp - wanted.plan || fail "standard input"

printf 'model m { y = f(1 }\n' >broken.plan
cp broken.plan kept.plan
cp rough.plan behind.plan
code=0
"$ESPALIER" fmt broken.plan behind.plan missing.plan 2>said || code=$?
[ $code = 3 ] || { cat said; fail "a broken file and a missing one end with $code"; }
cmp -s broken.plan kept.plan || fail "a broken file was written"
cmp -s behind.plan wanted.plan || fail "the file behind a broken one was not formatted"
grep -q 'E01' said && grep -q "missing.plan" said || { cat said; fail "what is wrong is not said"; }
ls | grep -q 'plan\.' && fail "a file was left beside: $(ls)"

# Plan files as they come: formatted, a second time changes nothing. (test_format.c compares their trees, and random ones'.)
mkdir tree
while read -r file; do cp "$file" "tree/$(tr / _ <<<"${file#"$SOURCE"/}")"; done \
    < <(find "$SOURCE/stdlib" "$SOURCE/examples" "$SOURCE/tests/golden" "$SOURCE/docs/reference/frames" -name '*.plan' | sort)
ls tree/* | xargs -n 50 "$ESPALIER" fmt 2>/dev/null || true # some have errors
ls tree/* | xargs -n 50 "$ESPALIER" fmt --check >said 2>&1 || true
if grep -q 'not in the canonical form' said; then cat said; fail "formatting again changes a file"; fi
"$ESPALIER" build "$SOURCE/examples/digits/digits.plan" --emit=ast >before.ast
"$ESPALIER" build tree/examples_digits_digits.plan --emit=ast >after.ast
cmp <(sed 's/ *[0-9:]*-[0-9:]*$//' before.ast) <(sed 's/ *[0-9:]*-[0-9:]*$//' after.ast) || fail "another plan when formatted"
echo "fmt: $(ls tree | wc -l) files"
