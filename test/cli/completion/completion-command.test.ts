/** Completion in real shells, of the program as it was built, with a proxy that runs and with none. */
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findReferee } from '../../support/programs.js';
import { startRedises } from '../../support/redis-process.js';
import { MAIN, type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const COMPLETIONS: readonly (readonly [string, readonly string[]])[] = [
  ['ringproxy ring show --j', ['--json']],
  ['ringproxy ring remove node1 n', ['node2']],
  ['ringproxy config check on', ['only.yaml']],
];

let proxy: RingproxyProcess;
let folder: string;

beforeAll(async () => {
  proxy = await startRingproxy({ nodes: await startRedises(2) });
  folder = tempFolder('completion');
  symlinkSync(MAIN, join(folder, 'ringproxy'));
  writeFileSync(join(folder, 'only.yaml'), '');
});

function run(shell: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = `${folder}:${join(process.execPath, '..')}:${process.env.PATH}`;
  const options = {
    cwd: folder,
    timeout: 60_000,
    env: { ...process.env, PATH: path, HOME: folder, RINGPROXY_ADMIN: proxy.admin, ...env },
  };
  return new Promise((resolve, reject) =>
    execFile(shell, args, options, (error, out, err) => (error === null ? resolve(out) : reject(new Error(err)))),
  );
}

describe('in bash', () => {
  // COMP_WORDS as bash makes them: cut at ':' and '=' as well.
  const wordsOf = (line: string): string[] => line.split(/(?<=[:=])|(?=[:=])|\s+/);
  const complete = async (line: string): Promise<string[]> => {
    const words = wordsOf(line);
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const call =
      `eval "$(ringproxy completion bash)"; COMP_LINE='${line}'; COMP_POINT=${line.length}; COMP_WORDS=(${quoted}); ` +
      `COMP_CWORD=${words.length - 1}; _ringproxy ringproxy; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run('bash', ['-c', call])).split('\n').filter((word) => word !== '');
  };

  it.each(COMPLETIONS)('%s', async (line, expected) => {
    expect((await complete(line)).sort()).toEqual(expected);
  });

  it('goes on behind a colon', async () => {
    expect(await complete(`ringproxy ring show --admin=${proxy.admin} --js`)).toEqual(['--json']);
  });
});

describe.skipIf(findReferee('fish') === null)('in fish', () => {
  const complete = async (line: string): Promise<string[]> => {
    const call = `ringproxy completion fish | source; complete -C '${line}'`;
    return (await run('fish', ['--no-config', '-c', call])).split('\n').filter((word) => word !== '');
  };

  it.each(COMPLETIONS)('%s', async (line, expected) => {
    expect((await complete(line)).map((found) => found.split('\t')[0]).sort()).toEqual(expected);
  });

  it('says what they are', async () => {
    expect(await complete('ringproxy ring cance')).toEqual(['cancel\tmove everything back']);
  });
});

// Symptom: `command not found: compdef` at the first Tab. The line is typed into a terminal, into a shell without any
// configuration.
describe.skipIf(findReferee('zsh') === null)('in zsh', () => {
  const complete = (line: string, completed: string): Promise<string> => {
    const script = [
      'zmodload zsh/zpty',
      'zpty shell zsh -f -i',
      `zpty -w shell 'PS1="prom""pt "; eval "$(ringproxy completion zsh)"'`,
      "zpty -r shell out '*prompt *'",
      `zpty -w -n shell $'${line}\\t'`,
      // Only what the shell has typed itself ends this.
      `zpty -r shell out '*${completed}*'`,
      'print -r -- "$out"',
    ];
    return run('zsh', ['-f', '-c', script.join('\n')], { TERM: 'dumb' });
  };

  it.each([
    ['ringproxy ring ad', 'd '],
    ['ringproxy ring set-weight node2', ' '],
    ['ringproxy config check on', 'ly.yaml '],
  ])('%s', async (line, rest) => {
    expect(await complete(line, `${line}*${rest}`)).toContain(rest);
  });
});

describe('with no proxy that answers', () => {
  it('offers no names, and no error', async () => {
    const out = await run('ringproxy', ['complete', '--', 'ring', 'remove', ''], { RINGPROXY_ADMIN: '127.0.0.1:1' });
    expect(out).toBe('');
  });
});
