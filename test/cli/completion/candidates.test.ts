import { Argument, Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { candidates, type NamesOf } from '../../../cli/completion/candidates.js';
import { NAMED } from '../../../cli/completion/live-names.js';
import { buildProgram } from '../../../cli/program.js';

function program(): Command {
  const root = new Command('ringproxy').version('1.2.3');
  const ring = root.command('ring').description('look at the ring');
  ring.command('show').option('--admin <url>', 'where it is').option('--token <token>').option('--json');
  ring.command('which').argument('<key...>').option('--json', 'print\nJSON');
  ring.command('remove').argument('<name...>').option('--admin <url>').option('--token <token>');
  ring.command('weight').argument('<name>').argument('<weight>');
  root.command('secret', { hidden: true });
  root.command('check').argument('<file>').option('-f, --file <file>');
  root.command('shell').addArgument(new Argument('<shell>').choices(['bash', 'zsh']));
  root
    .command('serve')
    .option('--mode <none|etcd>')
    .addOption(new Option('--level <LEVEL>').choices(['info', 'debug']))
    .option('--node <node>', 'several', (value: string, before: string[]) => [...before, value], []);
  return root;
}

const asked: object[] = [];
const namesOf: NamesOf = async (path, where) => {
  asked.push(where);
  return path.startsWith('ring ') && path !== 'ring which'
    ? ['a1', 'a2', 'b'].map((value) => ({ value, description: 'a node' }))
    : [];
};

async function offered(...words: string[]): Promise<string[]> {
  const { offers, files } = await candidates(program(), words, namesOf);
  return [...offers.map(({ value }) => value), ...(files ? [':files'] : [])];
}

describe('what may stand for the last word', () => {
  it.each([
    ['commands', [''], ['ring', 'check', 'shell', 'serve', 'help']],
    ['commands of a command', ['ring', ''], ['show', 'which', 'remove', 'weight', 'help']],
    ['those that begin as it does', ['ring', 'sh'], ['show']],
    ['commands that help is asked for', ['help', ''], ['ring', 'check', 'shell', 'serve']],
    ['commands of a command that help is asked for', ['help', 'ring', 's'], ['show']],
    ['the same the other way round', ['ring', 'help', 's'], ['show']],
    ['nothing behind the command that help is asked for', ['help', 'ring', 'show', ''], []],
    ['names that are called help', ['ring', 'remove', 'help', 'a'], ['a1', 'a2']],
    ['flags', ['ring', 'show', '--'], ['--admin', '--token', '--json', '--help']],
    ['flags behind arguments', ['ring', 'which', 'a key', '--j'], ['--json']],
    ['flags behind an argument that is a name of a command', ['ring', 'which', 'ring', '--j'], ['--json']],
    ['flags behind the value of a flag', ['ring', 'show', '--admin', 'http://h:1', '--j'], ['--json']],
    ['a flag once', ['ring', 'show', '--json', '--j'], []],
    ['a flag that may stand again, again', ['serve', '--node', 'a=h:1', '--n'], ['--node']],
    ['values that a flag names', ['serve', '--mode', ''], ['none', 'etcd']],
    ['choices of a flag', ['serve', '--level', 'd'], ['debug']],
    ['nothing for a value that cannot be known', ['ring', 'show', '--admin', ''], []],
    ['choices of an argument', ['shell', ''], ['bash', 'zsh']],
    ['nothing behind the last argument', ['shell', 'bash', ''], []],
    ['files', ['check', ''], [':files']],
    ['files as the value of a flag', ['check', '-f', ''], [':files']],
    ['names', ['ring', 'remove', 'a'], ['a1', 'a2']],
    ['names that are not there yet', ['ring', 'remove', 'a1', ''], ['a2', 'b']],
    ['names behind --', ['ring', 'remove', '--', 'a'], ['a1', 'a2']],
  ])('%s', async (_what, words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  it('a description is one line', async () => {
    const { offers } = await candidates(program(), ['ring', 'which', '--'], namesOf);
    expect(offers[0]).toEqual({ value: '--json', description: 'print JSON' });
  });

  it('the proxy that the line names is asked', async () => {
    await offered('ring', 'remove', '--admin', 'http://h:1', '--token=secret', '');
    expect(asked.at(-1)).toEqual({ admin: 'http://h:1', token: 'secret' });
  });

  it('commands whose names are asked for are there', async () => {
    for (const path of NAMED.keys()) {
      const { offers } = await candidates(buildProgram(), [...path.split(' '), ''], async (seen) => [
        { value: seen, description: '' },
      ]);
      expect(offers).toEqual([{ value: path, description: '' }]);
    }
  });
});
