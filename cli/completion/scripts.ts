/**
 * What a shell evaluates once. Each asks the program itself, `ringproxy complete -- WORDS`, for every Tab: a line for
 * each candidate, with its description behind a tab; `:files` as the last line where names of files may stand.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

// bash cuts words at ':' and '=' as well; the line is cut at spaces, as the program gets it, and what stands before
// the last ':' or '=' is taken off the candidates again.
const BASH = `_ringproxy() {
  local line="\${COMP_LINE:0:COMP_POINT}" typed candidate cut
  local -a words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  typed="\${words[\${#words[@]}-1]}"
  cut="\${typed%"\${typed##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    if [[ "$candidate" == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
    else
      COMPREPLY+=("\${candidate#"$cut"}")
    fi
  done < <("$1" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _ringproxy ringproxy
`;

const ZSH = `#compdef ringproxy
_ringproxy() {
  local line files=0
  local -a found
  for line in "\${(@f)$("\${words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z "$line" ]] && continue
    if [[ "$line" == :files ]]; then files=1; continue; fi
    # _describe takes what stands behind the first ':' for the description.
    if [[ "$line" == *$'\\t'* ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else
      found+=("\${line//:/\\\\:}")
    fi
  done
  (( \${#found} )) && _describe ringproxy found
  (( files )) && _files
}
if [[ "\${funcstack[1]}" == _ringproxy ]]; then
  _ringproxy "$@"
else
  (( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit }
  compdef _ringproxy ringproxy
fi
`;

const FISH = `function __ringproxy_complete
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  for line in (command $words[1] complete -- $words[2..-1] "$typed" 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path "$typed"
    else
      echo $line
    end
  end
end
complete -c ringproxy -f -a '(__ringproxy_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export function shellScript(shell: Shell): string {
  return SCRIPTS[shell];
}
