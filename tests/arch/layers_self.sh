#!/usr/bin/env bash
# The layering check itself: a tree with an include that points up must fail, and must name the place.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/compiler/base" "$tree/compiler/graph" "$tree/runtime" "$tree/grammar"
printf '#include "base/arena.h"\n' >"$tree/compiler/graph/fine.c"
"$here/layers.sh" "$tree" >/dev/null
printf '\n#include "graph/graph.h"\n' >"$tree/compiler/base/up.c"
if out=$("$here/layers.sh" "$tree"); then
    echo "an include that points up was not found"
    exit 1
fi
grep -q 'compiler/base/up.c:2: compiler/base may not include graph' <<<"$out"
mkdir "$tree/compiler/cellar"
printf '#include "base/arena.h"\n' >"$tree/compiler/cellar/new.c"
rm "$tree/compiler/base/up.c"
if "$here/layers.sh" "$tree" >/dev/null; then
    echo "a folder without a row was let through"
    exit 1
fi
echo "layers_self: an include that points up fails, a folder without a row fails"
