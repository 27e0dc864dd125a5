#!/usr/bin/env bash
# The executable stands alone: neither LLVM nor Python nor MPI in it, it runs after being moved, names its plan's lines to
# gdb, and says so on a processor that lacks what it was built for.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

digits_plan "$work/e.plan" $'batch 60\n  steps 5' '
plan two for digits on eight { mesh dp = 2; split B over dp; reduce grad over dp by ring }
plan alone for digits on eight { }'

"$ESPALIER" build "$work/e.plan:two" -o "$work/two"
if ldd "$work/two" | grep -iE 'llvm|python|mpi'; then fail "the executable is linked to the above"; fi
ldd "$work/two" | grep 'libc.so' >/dev/null || fail "ldd shows no libc: was it read?"

mkdir "$work/elsewhere"
mv "$work/two" "$work/elsewhere/moved"
(cd / && "$work/elsewhere/moved" >"$work/out" 2>&1) || { cat "$work/out"; fail "it does not run after being moved"; }

line=$(grep -n 'h    = relu(linear(image, H))' "$work/e.plan" | cut -d: -f1)
"$ESPALIER" build "$work/e.plan:alone" -o "$work/alone"
timeout 60 gdb -batch -nx -ex 'set debuginfod enabled off' -ex "break e.plan:$line" \
    -ex 'run --threads 1 --steps 1' -ex backtrace "$work/alone" >"$work/gdb" 2>&1 </dev/null || true
grep -qE "^(Thread.* hit )?Breakpoint 1.* e?.*e\.plan:$line" "$work/gdb" || grep -qE "^#0 .*e\.plan:$line" "$work/gdb" ||
    { cat "$work/gdb"; fail "gdb does not stop at line $line of the plan file"; }

"$ESPALIER" build "$work/e.plan:two" --cpu x86-64-v4 -o "$work/v4"
if grep -q avx512f /proc/cpuinfo; then
    "$work/v4" >"$work/out" 2>&1 || { cat "$work/out"; fail "built for x86-64-v4, it does not run on a processor that has it"; }
else
    code=0
    "$work/v4" >"$work/out" 2>&1 || code=$?
    [ "$code" -ne 0 ] && [ "$code" -lt 126 ] || fail "on a processor without AVX-512 it ended with $code"
    grep -qi avx512 "$work/out" || { cat "$work/out"; fail "the message does not name what the processor lacks"; }
fi
echo "executable: stands alone, moves, stops in gdb at e.plan:$line, checks its processor"
