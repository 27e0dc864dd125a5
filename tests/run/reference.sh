#!/usr/bin/env bash
# The language reference is whole and not behind: generated pages are what their sources give; every block, clause, operator,
# definition of the standard library, unit and code has its place, with an example; every link leads somewhere. (docs.sh runs the
# examples.)
. "$(dirname "$(readlink -f "$0")")/lib.sh"
cd "$SOURCE/docs/reference"

./generate.sh "$work"
pages=0
for page in "$work"/*.md; do
    cmp -s "$page" "$(basename "$page")" || {
        diff "$(basename "$page")" "$page" | head -20
        fail "docs/reference/$(basename "$page") is behind its sources: run docs/reference/generate.sh"
    }
    pages=$((pages + 1))
done
[ "$pages" -ge 7 ] || fail "only $pages pages were made"

words=0
expect_heading() { # PAGE HEADING
    grep -qxF -- "$2" "$1" || fail "docs/reference/$1 has no '$2'"
    words=$((words + 1))
}

# An example of its own stands between the heading and the next.
expect_example() { # PAGE HEADING
    awk -v heading="$2" '/^##/ { inside = $0 == heading } inside && /^```plan/ { found = 1 } END { exit !found }' "$1" ||
        fail "docs/reference/$1: no example of '$2'"
}

while read -r block word; do
    expect_heading "${block,,}.md" "## $word"
done < <(sed -n 's/^CLAUSE(\([A-Z]*\), "\([a-z]*\)".*/\1 \2/p' "$SOURCE/compiler/sema/clause.def")
while IFS='|' read -r name signature; do
    expect_heading operators.md "### $name"
    grep -qF -- "\`$signature\`" operators.md || fail "operators.md lacks the signature '$signature'"
    expect_example operators.md "### $name"
done < <(sed -n 's/^BUILTIN("\([a-z0-9_]*\)".* "\([^"]*\)")$/\1|\2/p' "$SOURCE/compiler/sema/builtin.def")
for library in nn optim topology; do
    page=$library.md
    [ $library = topology ] && page=topologies.md
    while read -r name; do
        expect_heading "$page" "## $name"
        expect_example "$page" "## $name"
    done < <(sed -n 's/^\(layer\|optimizer\|schedule\|topology\) \([a-z0-9_]*\).*/\2/p' "$SOURCE/stdlib/$library.plan")
done
while read -r name; do
    grep -qF "\`$name\`" weights.md || fail "weights.md does not have '$name'"
    words=$((words + 1))
done < <(sed -n 's/^weights \([a-z0-9_]*\).*/\1/p' "$SOURCE/stdlib/weights.plan")
while read -r word; do
    grep -qE "\`$word[ \`]" language.md || fail "language.md does not have '$word'"
    words=$((words + 1))
done < <(sed -n 's/^ITEM("\([a-z]*\)".*/\1/p' "$SOURCE/grammar/keywords.def"
         sed -n 's/^UNIT("\([A-Za-z%]*\)",.*/\1/p' "$SOURCE/compiler/ast/unit.def"
         sed -n 's/^RESERVED("\([a-z]*\)".*/\1/p' "$SOURCE/grammar/keywords.def")
while read -r code; do
    grep -q "\[E$code\](../codes/E$code.md)" codes.md || fail "codes.md lacks E$code"
    [ -f "../codes/E$code.md" ] || fail "E$code has no page"
    words=$((words + 1))
done < <(sed -n 's/^CODE(\([0-9]*\),.*/\1/p' "$SOURCE/compiler/diag/codes.def")

# Links between documents, with their anchors.
anchors() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9_ -]//g; s/ /-/g'; }
links=0
while IFS=: read -r document link; do
    folder=$(dirname "$document") target=${link%%#*} anchor=''
    [[ $link == *'#'* ]] && anchor=${link#*#}
    file=$document
    [ -z "$target" ] || file="$folder/$target"
    [ -e "$file" ] || fail "$document: '$link' leads nowhere"
    [ -z "$anchor" ] || anchors "$file" | grep -qxF -- "$anchor" || fail "$document: '$link' has no such heading"
    links=$((links + 1))
done < <(cd "$SOURCE" && grep -oE '\]\([^)]*\)' -r README.md CONTRIBUTING.md editors/README.md docs --include='*.md' -H |
    sed 's/:\](\(.*\))$/:\1/' | grep -v ':https\?:' | sed "s|^|$SOURCE/|")
[ "$links" -ge 100 ] || fail "only $links links were looked at"
while read -r document; do
    grep -qF "($document)" "$SOURCE/docs/README.md" || fail "docs/README.md does not lead to $document"
done < <(cd "$SOURCE/docs" && find . -name '*.md' ! -path './codes/*' ! -path './README.md' | sed 's|^\./||')
echo "reference: $pages pages made, $words words, $links links"
