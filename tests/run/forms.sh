#!/usr/bin/env bash
# Every printed form that can be read back prints the same again, and each of its lines that does something names its plan line.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

compared=0
for plan in digits:ring4 digits:alone text:four; do
    name=${plan%:*}
    for form in graph spmd schedule collective; do
        "$ESPALIER" build "$SOURCE/examples/$name/$name.plan:${plan#*:}" --verify-each --emit=$form -o "$work/$form"
        "$ESPALIER" read $form "$work/$form" >"$work/again" || fail "$plan: the form $form is not read back"
        cmp -s "$work/$form" "$work/again" || { diff "$work/$form" "$work/again" | head; fail "$plan: the form $form changes"; }
        compared=$((compared + 1))
    done
    without=$(grep -cE '^ +(%|assign)' "$work/spmd") || fail "$plan: no operators in the spmd form"
    places=$(grep -cE '^ +(%|assign).*@ [^ ]+\.plan:[0-9]+$' "$work/spmd")
    [ "$without" = "$places" ] || fail "$plan: $((without - places)) operators have no plan line"
done
"$ESPALIER" build "$SOURCE/examples/digits/digits.plan:ring4" --emit=llvm -o "$work/llvm"
grep -q '!DILocation' "$work/llvm" || fail "the LLVM form has no plan lines"
for form in asm obj ast; do
    "$ESPALIER" build "$SOURCE/examples/digits/digits.plan:ring4" --emit=$form -o "$work/$form"
done
grep -q 'digits.plan' "$work/asm" || fail "nor has the assembly"
[ -s "$work/obj" ] || fail "no object file"
grep -q 'plan ring4' "$work/ast" || fail "no tree"
[ $compared = 12 ] || fail "$compared forms"
echo "forms: $compared read back and printed alike"
