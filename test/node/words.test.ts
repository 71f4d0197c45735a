/**
 * What a failure says is for people. Symptom: whether a proxy went on with a change after a restart hung on the words
 * `refused the connection`. What is decided by a node's error replies is read in `src/node/reply-errors.ts` alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/root.js';

const WORDS =
  /\/[^/\n]*(?:refused|does not resolve|in time|closed the|cut the|NOAUTH|WRONGPASS|NOPERM|unknown (?:sub)?command|max number of|DENIED|BUSY|LOADING)[^/\n]*\/[a-z]*\.(?:test|exec)\(/;

it('nobody decides by what a failure says', () => {
  const files = ['src', 'cli']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((file) => join(folder, String(file))))
    .filter((file) => file.endsWith('.ts') && file !== join('src', 'node', 'reply-errors.ts'));
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => WORDS.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
});
