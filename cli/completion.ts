import { Argument, type Command } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `ringproxy completion SHELL`: a script that completes commands and flags, made from the program itself. */
export function registerCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a completion script: eval "$(ringproxy completion bash)"')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      process.stdout.write(completionScript(program, shell));
    });
}

/** The words that may follow each path of commands. */
function completions(command: Command, path = ''): Map<string, string[]> {
  const words = [
    ...command.commands.map((sub) => sub.name()),
    ...command.options.flatMap((option) => (option.long === undefined || option.long === null ? [] : [option.long])),
  ];
  const found = new Map([[path, words]]);
  for (const sub of command.commands) {
    for (const [key, value] of completions(sub, `${path} ${sub.name()}`.trim())) found.set(key, value);
  }
  return found;
}

export function completionScript(program: Command, shell: (typeof SHELLS)[number]): string {
  const table = [...completions(program)];
  if (shell === 'fish') {
    return table
      .flatMap(([path, words]) => {
        const seen = path.split(' ').filter((word) => word !== '');
        const further = words.filter((word) => !word.startsWith('--')).join(' ');
        const condition =
          seen.length === 0
            ? '__fish_use_subcommand'
            : seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ') +
              (further === '' ? '' : `; and not __fish_seen_subcommand_from ${further}`);
        return words.map((word) =>
          word.startsWith('--')
            ? `complete -c ringproxy -n '${condition}' -l ${word.slice(2)}\n`
            : `complete -c ringproxy -f -n '${condition}' -a ${word}\n`,
        );
      })
      .join('');
  }
  const cases = table.map(([path, words]) => `    "${path}") words="${words.join(' ')}";;\n`).join('');
  const known = table.flatMap(([path]) => (path === '' ? [] : [`"${path}"`])).join('|');
  // Arguments and the values of flags are no part of a command's path.
  const bash = `_ringproxy() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in ${known}) path="\${path:+$path }$word";; esac
  done
  case "$path" in
${cases}  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ringproxy ringproxy
`;
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}
