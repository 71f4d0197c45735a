/** Configurations and commands that the documentation shows are understood. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.js';
import { loadConfig } from '../../src/config/load.js';
import { Authority, hasOpenssl } from '../support/certificates.js';
import { ROOT } from '../support/root.js';
import { tempFolder } from '../support/temp-folder.js';

const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'src/docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('src/docs', name)),
];

/** The blocks of a language in all pages, with the page's name. */
function blocks(language: string): [string, string][] {
  return PAGES.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
      .filter(([, found]) => found === language)
      .map(([, , text = '']): [string, string] => [page, text]),
  );
}

describe('a configuration', () => {
  const shown = blocks('yaml');

  it('is shown in several places', () => {
    expect(shown.length).toBeGreaterThan(2);
  });

  /** Pages name files where a system has them; here they are those of the test. */
  const papers = hasOpenssl ? new Authority('example').issue('example', ['serverAuth']) : null;
  const ofSystem = /\/etc\/ringproxy\/tls\/\w+\.(crt|key)/g;

  it.each(shown)('of %s is valid', (_page, text) => {
    if (papers === null && ofSystem.test(text)) return;
    const file = join(tempFolder('example'), 'ringproxy.yaml');
    const { certFile = '', keyFile = '' } = papers ?? {};
    writeFileSync(
      file,
      text.replace(ofSystem, (_path, kind) => (kind === 'key' ? keyFile : certFile)),
    );
    const flags = text.includes('nodes:') ? {} : { nodes: ['a=127.0.0.1:7001'] };
    expect(() => loadConfig({ file, flags })).not.toThrow();
  });
});

describe('a call of the program', () => {
  /** `ringproxy …` in backticks, and `node dist/cli/main.js …` in blocks of shell: its words and flags. */
  const calls = PAGES.flatMap((page) => {
    const text = readFileSync(join(ROOT, page), 'utf8')
      .replace(/^```(\w*)\n[\s\S]*?^```$/gm, (block, language) => (language === 'sh' ? block : ''))
      .replaceAll('node dist/cli/main.js ', 'ringproxy ');
    return [...text.matchAll(/(?:`|^|\n)ringproxy ((?:[a-z][a-z-]*(?= |`|\n|$) ?)+)([^`\n#]*)/g)].map(
      ([, words = '', rest = '']) =>
        [page, words.trim(), [...rest.matchAll(/--[a-z-]+/g)].map(([flag]) => flag)] as const,
    );
  });

  it('is shown in many places', () => {
    expect(calls.length).toBeGreaterThan(30);
  });

  it.each(calls)('of %s is one of its commands, with its flags: ringproxy %s %j', (_page, words, flags) => {
    let command: Command = buildProgram();
    for (const word of words.split(' ')) {
      const next = command.commands.find((sub) => sub.name() === word);
      // What follows is an argument.
      if (next === undefined) break;
      command = next;
    }
    expect(command.name()).not.toBe('ringproxy');
    const known = command.options.map((option) => option.long);
    expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
  });
});
