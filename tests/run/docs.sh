#!/usr/bin/env bash
# What the documents show is run. In README.md and docs/**/*.md
#   ```plan NAME.plan     is written to NAME.plan in the document's own folder, and must pass `check`
#   ```plan wrong NAME    is written likewise, and must not pass
#   ```plan               alone must pass `check` by itself
#   ```plan frame NAME    is a frame: what it is around stands at its line `...`
#   ```plan in NAME       must pass `check` at the `...` of that frame
#   ```console            each line behind `$ ` is run there and must succeed; a line of output that has no digit must
#                         stand in what was printed
#   ```console fails      the same, but each command must fail
# docs.sh FILE...         only these documents
. "$(dirname "$(readlink -f "$0")")/lib.sh"
mkdir "$work/bin"
ln -s "$ESPALIER" "$work/bin/espalier"
export PATH="$work/bin:$PATH"

blocks=0
commands=0

run_plan() { # KIND NAME FILE
    local code=0
    espalier check "$3" >"$work/said" 2>&1 || code=$?
    case $1 in
    right) [ $code = 0 ] || { cat "$work/said"; fail "$document: the block at line $line should pass check"; } ;;
    wrong) [ $code = 1 ] || { cat "$work/said"; fail "$document: the block at line $line should not pass check"; } ;;
    esac
    blocks=$((blocks + 1))
}

# The block in its frame, as deep as its `...` stands.
put_in_frame() { # NAME
    [ -f "$folder/frame.$1" ] || fail "$document: the block at line $line names a frame that does not stand before it: $1"
    awk -v block="$work/block" '
        /^ *\.\.\.$/ { match($0, /^ */); while ((getline line < block) > 0) print substr($0, 1, RLENGTH) line; next }
        { print }' "$folder/frame.$1"
}

run_console() { # fails|succeeds FILE
    local code said="$work/said" shown command
    : >"$said"
    while IFS= read -r shown; do
        if [[ $shown == '$ '* ]]; then
            command=${shown#'$ '}
            code=0
            (cd "$folder" && bash -c "$command") >"$said" 2>&1 </dev/null || code=$?
            if [ "$1" = fails ]; then [ $code != 0 ]; else [ $code = 0 ]; fi ||
                { cat "$said"; fail "$document: '$command' ended with $code"; }
            commands=$((commands + 1))
        elif [ -n "${shown// /}" ] && [[ $shown != *[0-9]* ]] && [[ $shown != *...* ]]; then
            grep -qF -- "$shown" "$said" || { cat "$said"; fail "$document: '$shown' is not in what '$command' printed"; }
        fi
    done <"$2"
}

take_block() { # the fence's words; the block is in $work/block
    local words
    read -r -a words <<<"$1"
    case ${words[0]:-} in
    plan)
        local kind=right name
        case ${words[1]:-} in
        frame)
            cp "$work/block" "$folder/frame.${words[2]}"
            return
            ;;
        in)
            put_in_frame "${words[2]}" >"$folder/alone.plan"
            run_plan right alone.plan "$folder/alone.plan"
            return
            ;;
        esac
        [ "${words[1]:-}" = wrong ] && { kind=wrong; unset 'words[1]'; words=("${words[@]}"); }
        name=${words[1]:-alone.plan}
        cp "$work/block" "$folder/$name"
        run_plan $kind "$name" "$folder/$name"
        ;;
    console) run_console "$([ "${words[1]:-}" = fails ] && echo fails || echo succeeds)" "$work/block" ;;
    esac
}

[ $# -gt 0 ] || mapfile -t documents < <(cd "$SOURCE" && ls README.md && find docs -name '*.md' ! -path 'docs/codes/*' | sort)
[ $# -eq 0 ] || documents=("$@")
for document in "${documents[@]}"; do
    folder="$work/$(tr / _ <<<"$document")"
    mkdir -p "$folder/data"
    cp "$SOURCE/examples/digits/data/digits.csv" "$folder/data/"
    number=0 inside=''
    while IFS= read -r text || [ -n "$text" ]; do
        number=$((number + 1))
        if [ -z "$inside" ] && [[ $text == '```'?* ]]; then
            inside=${text#'```'} line=$number
            : >"$work/block"
        elif [ -n "$inside" ] && [ "$text" = '```' ]; then
            take_block "$inside"
            inside=''
        elif [ -n "$inside" ]; then
            printf '%s\n' "$text" >>"$work/block"
        elif [ "$text" = '```' ]; then
            inside=text line=$number
        fi
    done <"$SOURCE/$document"
    [ -z "$inside" ] || fail "$document: the block at line $line does not end"
done
echo "docs: ${#documents[@]} documents, $blocks plan blocks, $commands commands"
[ $# -gt 0 ] || [ "$blocks" -ge 5 ] || fail "too few blocks: were the documents read?"
