/* completions: the scripts that bash, zsh and fish source, and what these ask: `completions words -- WORD...`. */
#include "driver/commands.h"
#include "driver/complete.h"

#include <string.h>

static const char bash[] =
    "# bash completion of espalier, from `espalier completions bash`.\n"
    "_espalier()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words current found\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=('')\n"
    "    current=${words[-1]}\n"
    "    mapfile -t found < <(\"${COMP_WORDS[0]}\" completions words -- "
    "\"${words[@]:1}\" 2>/dev/null)\n"
    "    found=(\"${found[@]%%$'\\t'*}\")\n"
    "    # readline replaces what stands behind the last sign that breaks "
    "words, so that much is cut off\n"
    "    if [[ $current == *[:=]* ]]; then\n"
    "        local cut=${current%\"${current##*[:=]}\"}\n"
    "        found=(\"${found[@]#\"$cut\"}\")\n"
    "    fi\n"
    "    COMPREPLY=(\"${found[@]}\")\n"
    "    # a plan file may go on with ':' and a plan\n"
    "    if [[ ${#found[@]} -eq 1 && ( ${found[0]} == *[:=/] || ${found[0]} == *.plan ) ]]; then\n"
    "        compopt -o nospace 2>/dev/null\n"
    "    fi\n"
    "    return 0\n"
    "}\n"
    "complete -F _espalier espalier\n";

static const char zsh[] = "#compdef espalier\n"
                          "# zsh completion of espalier, from `espalier completions zsh`.\n"
                          "_espalier()\n"
                          "{\n"
                          "    local -a closed open shown_closed shown_open\n"
                          "    local line word\n"
                          "    for line in ${(f)\"$(${(Q)words[1]} completions words -- "
                          "${(Q)words[2,CURRENT-1]} \"$PREFIX\" "
                          "2>/dev/null)\"}; do\n"
                          "        word=${line%%$'\\t'*}\n"
                          "        if [[ $word == *[:=/] || $word == *.plan ]]; then\n"
                          "            open+=(\"$word\")\n"
                          "            shown_open+=(\"$word  ${line#*$'\\t'}\")\n"
                          "        else\n"
                          "            closed+=(\"$word\")\n"
                          "            shown_closed+=(\"$word  ${line#*$'\\t'}\")\n"
                          "        fi\n"
                          "    done\n"
                          "    compadd -l -d shown_closed -a closed\n"
                          "    compadd -S '' -l -d shown_open -a open\n"
                          "}\n"
                          "if [[ $funcstack[1] == _espalier ]]; then\n"
                          "    _espalier \"$@\"\n"
                          "else\n"
                          "    compdef _espalier espalier\n"
                          "fi\n";

static const char fish[] = "# fish completion of espalier, from `espalier completions fish`.\n"
                           "function __espalier_words\n"
                           "    set -l words (commandline -opc) (commandline -ct)\n"
                           "    $words[1] completions words -- $words[2..-1] 2>/dev/null\n"
                           "end\n"
                           "complete -c espalier -f -a '(__espalier_words)'\n";

static const struct {
    const char *name;
    const char *script;
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int print_words(session *s)
{
    int count = 0;
    while (s->options->rest[count])
        count++;
    text found = text_in(s->memory);
    complete_words(s, s->options->rest, count, &found);
    fputs(text_done(&found), stdout);
    return EXIT_FINE; /* a plan file with errors has names all the same */
}

int command_completions(session *s)
{
    const options *o = s->options;
    const char *shell = o->operand_count == 1 ? o->operands[0] : "";
    if (strcmp(shell, "words") == 0)
        return print_words(s);
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            fputs(shells[i].script, stdout);
            return session_finish(s);
        }
    }
    session_misuse(s, "completions takes the name of a shell: bash, zsh or fish");
    return session_finish(s);
}
