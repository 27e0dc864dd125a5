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

# Every plan file of the tree that can be read: formatted it is the same tree, and formatted again the same file.
files=0
while read -r file; do
    "$ESPALIER" build "$file" --emit=ast >before.ast 2>/dev/null || continue
    cp "$file" one.plan
    "$ESPALIER" fmt one.plan
    "$ESPALIER" build one.plan --emit=ast >after.ast
    cmp -s <(sed 's/ *[0-9:]*-[0-9:]*$//' before.ast) <(sed 's/ *[0-9:]*-[0-9:]*$//' after.ast) || fail "$file is another plan when formatted"
    "$ESPALIER" fmt --check one.plan || fail "$file: formatting it again changes it"
    files=$((files + 1))
done < <(find "$SOURCE/stdlib" "$SOURCE/examples" "$SOURCE/tests" "$SOURCE/docs/reference/frames" -name '*.plan' | sort)
[ "$files" -ge 30 ] || fail "only $files files were formatted"
echo "fmt: $files files of the tree keep their trees"
