#!/usr/bin/env bash
# Fails on an include that points up: layers.txt says who may include whom.
#   layers.sh [ROOT]     prints each include that is not allowed, and how many includes were looked at
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=${1:-$here/../..}
cd "$root"

# One line for each quoted include: the including folder, the included folder, the file and line.
includes() {
    find $(ls -d compiler runtime grammar 2>/dev/null) -name '*.[chly]' -o -name '*.def' -o -name '*.cu' | sort | while read -r file; do
        folder=$(dirname "$file")
        [[ $folder == grammar* ]] && folder=compiler/parse
        [[ $folder == runtime/include* ]] && folder=runtime/include
        grep -n '^[ \t]*#[ \t]*include[ \t]*"' "$file" | sed "s|^\([0-9]*\):[^\"]*\"\([^\"/]*\).*|$folder \2 $file:\1|" || true
    done
}

includes | awk -v rules="$here/layers.txt" '
    BEGIN {
        while ((getline line < rules) > 0) {
            if (line ~ /^#/ || line == "") continue
            split(line, parts, ":")
            known[parts[1]] = 1
            count = split(parts[2], below, " ")
            for (i = 1; i <= count; i++) allowed[parts[1], below[i]] = 1
        }
    }
    {
        looked++
        own = $1; sub(/.*\//, "", own)
        if (!($1 in known)) { print $3 ": folder " $1 " has no row in tests/arch/layers.txt"; bad++ }
        else if ($2 != own && !(($1, $2) in allowed)) { print $3 ": " $1 " may not include " $2; bad++ }
    }
    END {
        print looked + 0 " includes looked at, " bad + 0 " not allowed"
        exit bad > 0 || looked == 0
    }'
