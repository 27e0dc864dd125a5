#!/usr/bin/env bash
# Makes the pages of the reference that come from tables and from the standard library's comments:
#   generate.sh           into docs/reference/
#   generate.sh FOLDER    elsewhere, for the test that holds the pages against their sources
# A definition's comment stands right above it. What of it is a call of the definition, behind a full stop or on a line of its
# own, is its example; lines set in by four blanks are examples too. Frames (frames/) make them whole files. In pages written
# by hand the frames and the operators' signatures are renewed.
set -euo pipefail
source=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
out=${1:-$source/docs/reference}

# Prints "## name", the signature, the words and the examples of each definition of a plan file.
definitions() {
    awk '
    function flush_source() { source = "" }
    function emit(    head, name, kind, words, i, k, at, one, several, count) {
        head = signature
        sub(/[ \t]*\{.*$/, "", head)
        gsub(/[ \t\n]+/, " ", head)
        split(head, parts, /[ (]/)
        kind = parts[1]; name = parts[2]
        words = ""; count = 0
        for (i = 1; i <= comments; i++) {
            if (comment[i] ~ /^    /) { sub(/^ +/, "", comment[i]); examples[++count] = comment[i] }
            else if (index(comment[i], name "(") == 1) examples[++count] = comment[i]
            else words = words (words == "" ? "" : "\n") comment[i]
        }
        at = match(words, "[.] " name "[(][^\n]*$")
        if (at) { examples[++count] = substr(words, at + 2); words = substr(words, 1, at) }
        sub(/\n+$/, "", words)
        printf "\n## %s\n\n`%s`\n\n%s\n", name, head, words
        for (i = 1; i <= count; i++) { # several on a line stand apart by two blanks or more
            several = split(examples[i], one, /   */)
            for (k = 1; k <= several; k++) show(kind, one[k], head)
        }
        if (count == 0 && kind == "topology") printf "\n```plan\n%s```\n", source
    }
    function frame_of(head, example) {
        return head ~ /\[B, C, H, W\]/ || example ~ /conv2d/ ? "images" : head ~ /\[B, C, S\]/ ? "series" : "model"
    }
    function show(kind, example, head) {
        if (kind == "optimizer") printf "\n```plan in train\noptimizer %s\n```\n", example
        else if (kind == "schedule") printf "\n```plan in train\noptimizer sgd(lr = %s)\n```\n", example
        else if (kind == "topology") printf "\n```plan in plan\n%s\n```\n", example
        else printf "\n```plan in %s\nz = %s\n```\n", frame_of(head, example), example
    }
    /^#/ && !inside { comment[++comments] = substr($0, 3); next }
    /^(layer|optimizer|schedule|topology) / { inside = 1; signature = ""; source = ""; heading = 1 }
    inside {
        source = source $0 "\n"
        if (heading) { signature = signature " " $0; if ($0 ~ /\{/) heading = 0 }
        if ($0 == "}" || ($0 ~ /^[a-z].*\}$/)) { sub(/^ /, "", signature); emit(); inside = 0; comments = 0 }
        next
    }
    { comments = 0 }' "$1"
}

frame() { # NAME: as a block of the page
    printf '\n```plan frame %s\n' "$1"
    cat "$source/docs/reference/frames/$1.plan"
    printf '```\n'
}

# A page of docs/reference with its frames and the operators' signatures as they are now.
renewed() { # PAGE
    awk -v frames="$source/docs/reference/frames" -v table="$source/compiler/sema/builtin.def" '
    BEGIN {
        while ((getline line < table) > 0)
            if (match(line, /^BUILTIN[(]"[a-z0-9_]+"/)) {
                name = substr(line, 10, RLENGTH - 10)
                match(line, /"[^"]*"[)]$/)
                signature[name] = substr(line, RSTART + 1, RLENGTH - 3)
            }
    }
    /^```plan frame / {
        print
        while ((getline line < (frames "/" $3 ".plan")) > 0) print line
        close(frames "/" $3 ".plan")
        skipping = 1
        next
    }
    skipping && $0 != "```" { next }
    { skipping = 0 }
    /^### / { operator = $2 }
    operator in signature && index($0, "`" operator "(") == 1 {
        sub(/^`[^`]*`/, "")
        $0 = "`" signature[operator] "`" $0
        operator = ""
    }
    { print }' "$source/docs/reference/$1.md"
}

contents() { # FILE: a line of links
    definitions "$1" | sed -n 's/^## \(.*\)/[\1](#\1)/p' | paste -sd' ' | sed 's/ / · /g' | fold -s -w 140 | sed 's/ $//'
}

library() { # NAME TITLE INTRODUCTION FRAME...
    local name=$1 title=$2 introduction=$3 one
    shift 3
    printf '# %s\n\n%s\n\n' "$title" "$introduction"
    contents "$source/stdlib/$name.plan"
    printf '\nThe examples stand at the `...` of:\n'
    for one in "$@"; do frame "$one"; done
    definitions "$source/stdlib/$name.plan"
}

made='<!-- Made by docs/reference/generate.sh: change the source and run it again. -->'

{
    echo "$made"
    library nn 'nn: layers, activations, losses and measures' \
        'Written in the language itself, in `stdlib/nn.plan`; a file that says `use nn` sees them. [Models and layers](model.md) says how layers are called and written.' \
        model images series
} >"$out/nn.md"
{
    echo "$made"
    library optim 'optim: optimizers and schedules' \
        'Written in the language itself, in `stdlib/optim.plan`; a file that says `use optim` sees them. [Optimizers and schedules](optimizer.md) says how one'"'"'s own are written.' \
        train
} >"$out/optim.md"
{
    echo "$made"
    library topology "The library's topologies" \
        'Written in the language itself, in `stdlib/topology.plan`; every file sees them. m is the bytes of the data, n the ranks, a the time of a message, b the time of a byte. Those that are no all-reduce are shown whole. [Topologies](topology.md) says how one'"'"'s own are written.' \
        plan
} >"$out/topologies.md"
{
    echo "$made"
    cat <<'PAGE'
# Diagnostics

Each error has a code. Its page says what it means, with a file that causes it and one that is right; `espalier explain E0214` prints it.
PAGE
    awk -F'"' '
        /^ \* [0-9][0-9]xx/ { part[substr($0, 4, 2)] = substr($0, 10) }
        /^CODE\(/ {
            code = substr($1, 6, 4)
            group = substr(code, 1, 2)
            if (group != before) printf "\n## %sxx: %s\n\n| code | |\n|---|---|\n", group, part[group]
            before = group
            printf "| [E%s](../codes/E%s.md) | %s |\n", code, code, $2
        }' "$source/compiler/diag/codes.def"
} >"$out/codes.md"

for page in operators train plan; do
    renewed "$page" >"$out/$page.new"
    mv "$out/$page.new" "$out/$page.md"
done
