#!/usr/bin/env bash
# Completions: bash's own machinery is driven; zsh's and fish's scripts where those shells are here.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
mkdir "$work/bin" "$work/place" "$work/place/folder"
ln -s "$ESPALIER" "$work/bin/espalier"
export PATH="$work/bin:$PATH"
cd "$work/place"
cp "$SOURCE/examples/digits/digits.plan" .
: >notes.txt
{ cat digits.plan; echo 'plan broken for digits on laptop { mesh dp = '; } >broken.plan

# What Tab offers behind a line, as readline would get it: from the last ':' or '=' on.
bash_offers() {
    bash --noprofile --norc -c '
        source <(espalier completions bash)
        complete -p espalier >/dev/null || exit 1
        COMP_LINE=$1 COMP_POINT=${#1}
        read -ra COMP_WORDS <<<"$COMP_LINE"
        [[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _espalier espalier "" ""
        printf "%s\n" "${COMPREPLY[@]}"' bash "$1" | sort | tr '\n' ' '
}

cases=0
expect() { # LINE CANDIDATES, sorted, each followed by a blank
    local got
    got=$(bash_offers "$1")
    [ "$got" = "$2" ] || fail "bash: '$1' offers '$got', not '$2'"
    cases=$((cases + 1))
}

expect_with() { # LINE CANDIDATE: it is among them
    local got
    got=$(bash_offers "$1")
    [[ " $got" == *" $2 "* ]] || fail "bash: '$1' offers '$got', and not '$2'"
    cases=$((cases + 1))
}

expect 'espalier che' 'check '
for command in $(sed -n 's/^COMMAND([A-Z]*, "\([a-z]*\)".*/\1/p' "$SOURCE/compiler/driver/commands.def"); do
    expect_with 'espalier ' "$command"
    for option in $("$ESPALIER" help "$command" | sed -n 's/^  \(--[a-z-]*=\?\).*/\1/p'); do
        expect_with "espalier $command --" "$option"
    done
done
expect 'espalier build --em' '--emit= '
expect 'espalier build --emit=s' 'schedule spmd '
expect 'espalier build --emit s' 'schedule spmd '
for form in $("$ESPALIER" help build | sed -n 's/.*write a form instead: //p' | tr -d ,); do
    expect_with 'espalier build --emit=' "$form"
done
for pass in $(sed -n 's/^PASS([A-Z]*, "\([a-z]*\)".*/\1/p' "$SOURCE/compiler/driver/passes.def"); do
    expect_with 'espalier check --stop-after=' "$pass"
done
expect 'espalier check --color=a' 'always auto '
expect 'espalier check --diagnostics=' 'json '
expect 'espalier lsp --stdlib=fo' 'folder/ '
expect 'espalier run --metrics=no' 'notes.txt '
expect 'espalier check dig' 'digits.plan '
expect 'espalier check --color never dig' 'digits.plan '
expect 'espalier check ' 'broken.plan digits.plan folder/ '
expect 'espalier run digits.plan:r' 'ring4 '
expect 'espalier run digits.plan:' 'alone ring4 '
expect 'espalier run digits.plan' 'digits.plan digits.plan:alone digits.plan:ring4 '
expect 'espalier topology digits.plan:' 'laptop '
expect_with 'espalier run broken.plan:' 'ring4'
expect 'espalier run missing.plan:' ' '
expect 'espalier explain E0214' 'E0214 '
expect 'espalier help expl' 'explain '
expect 'espalier read s' 'schedule spmd '
expect 'espalier read spmd no' 'notes.txt '
expect 'espalier export --as=lla' 'llama llama_tied '
expect 'espalier sample w.safetensors --plan digits.plan:r' 'ring4 '
expect 'espalier fmt --check d' 'digits.plan '
expect 'espalier completions ' 'bash fish zsh '
expect 'espalier manual espalier-pl' 'espalier-plan '
expect 'espalier run digits.plan -- --weights no' 'notes.txt '
expect 'espalier nonsense ' ' '

shells=bash
if command -v zsh >/dev/null; then
    espalier completions zsh >"$work/_espalier"
    zsh -n "$work/_espalier" || fail "zsh does not read its script"
    # compadd is what puts candidates before the user; here it prints them
    zsh -f -c '
        compadd() { local name=${@[-1]}; print -l -- ${(P)name} }
        compdef() { : }
        source "$1"
        words=(espalier run digits.plan:r) CURRENT=3 PREFIX=digits.plan:r
        _espalier' zsh "$work/_espalier" >"$work/said"
    [ "$(grep -v '^$' "$work/said")" = digits.plan:ring4 ] || { cat "$work/said"; fail "zsh's candidates"; }
    shells="$shells, zsh"
fi
if command -v fish >/dev/null; then
    espalier completions fish >"$work/espalier.fish"
    fish --no-execute "$work/espalier.fish" || fail "fish does not read its script"
    got=$(HOME="$work" fish --no-config -c "source $work/espalier.fish; complete -C 'espalier run digits.plan:r'" | cut -f1)
    [ "$got" = digits.plan:ring4 ] || fail "fish offers '$got'"
    got=$(HOME="$work" fish --no-config -c "source $work/espalier.fish; complete -C 'espalier build --emit=sp'" | cut -f1)
    [ "$got" = --emit=spmd ] || fail "fish offers '$got'"
    shells="$shells, fish"
fi
echo "completions: $cases cases in bash; shells: $shells"
