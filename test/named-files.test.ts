/** Comments and documents name files and folders: these must be there, also after they were moved. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './support/root.js';

const files = [
  'README.md',
  'vitest.config.ts',
  ...['src', 'cli', 'test', 'compose', '.github'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  ),
];

/** Every way to name a file or a folder: by what stands at the end of its path. */
const names = new Set(
  files.flatMap((file) => {
    const parts = file.split('/');
    const ends = parts.flatMap((_part, last) => parts.slice(0, last + 1).map((_, at) => parts.slice(at, last + 1)));
    return ends.map((end) => end.join('/'));
  }),
);
/** With one of these in front, a word with a slash is a folder: `proxy/features`. */
const FOLDERS = [
  ...new Set(files.flatMap((file) => /^src\/([^/]+)\//.exec(file)?.[1] ?? [])),
  'src',
  'test',
  'compose',
];

const FILE = /(?<![\w.@/-])(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|mjs)\b/g;
const FOLDER = new RegExp(`(?<![\\w./-])(?:${FOLDERS.join('|')})(?:/[a-z][a-z-]+)+(?![\\w/*{-]|\\.\\w)`, 'g');

/** @returns what is said in a file, and not done */
function prose(file: string, text: string): string[] {
  if (file.endsWith('.md')) return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  return text.split('\n').flatMap((line) => /^\s*(?:\*|\/\*\*?|\/\/)\s(.*)$/.exec(line)?.[1] ?? []);
}

it('comments and documents name files and folders that are there', () => {
  const missing = files
    .filter((file) => /\.(?:ts|mjs|md)$/.test(file))
    .flatMap((file) => {
      const named = prose(file, readFileSync(join(ROOT, file), 'utf8')).flatMap((line) => [
        ...(line.match(FILE) ?? []),
        ...(line.match(FOLDER) ?? []),
      ]);
      return named.filter((name) => !names.has(name)).map((name) => `${file}: ${name}`);
    });
  expect(missing).toEqual([]);
});
