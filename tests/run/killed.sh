#!/usr/bin/env bash
# A rank killed with SIGKILL: the others stop within 5 s, the message names the rank, its last collective and the plan line, the
# exit status is not zero, and neither a process nor shared memory is left.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

digits_plan "$work/k.plan" $'batch 120\n  steps 10_000_000' '
plan four for digits on eight { mesh dp = 4; split B over dp; reduce grad over dp by ring }'
"$ESPALIER" build "$work/k.plan:four" -o "$work/four_ranks"
reduce_line=$(grep -n 'reduce grad' "$work/k.plan" | cut -d: -f1)
ls /dev/shm | sort >"$work/shm_before"

"$work/four_ranks" >"$work/out" 2>&1 &
launcher=$!
for _ in $(seq 100); do
    [ "$(pgrep -c -P "$launcher" || true)" -ge 4 ] && break
    sleep 0.1
done
sleep 1
victim=$(pgrep -P "$launcher" | sed -n 3p)
[ -n "$victim" ] || { cat "$work/out"; fail "no ranks are running"; }
pids="$launcher $(pgrep -P "$launcher" | tr '\n' ' ')"
kill -KILL "$victim"
begin=$(date +%s%N)
code=0
wait "$launcher" || code=$?
milliseconds=$((($(date +%s%N) - begin) / 1000000))
sleep 0.2
[ "$code" -ne 0 ] || fail "the exit status is zero"
[ "$milliseconds" -lt 5000 ] || fail "stopping took $milliseconds ms"
grep -qE 'rank [0-9]' "$work/out" || { cat "$work/out"; fail "no rank is named"; }
grep -q 'ring' "$work/out" || { cat "$work/out"; fail "the collective is not named"; }
grep -q "k.plan:$reduce_line" "$work/out" || { cat "$work/out"; fail "the plan line is not named"; }
for pid in $pids; do
    kill -0 "$pid" 2>/dev/null && fail "process $pid is left"
done
ls /dev/shm | sort | cmp -s "$work/shm_before" - || fail "shared memory is left"
echo "killed: exit status $code after $milliseconds ms: $(grep -m 1 -E 'rank [0-9]' "$work/out")"
