/** A file of finished changes that is damaged: nothing of it is written over, and somebody is told. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HistoryFile } from '../../../src/topology/store/history-file.js';
import { tempFolder } from '../../support/temp-folder.js';

it.each(['', '[{"kind":"add"', '{}', '\0\0\0\0'])('that holds %j is set aside', async (text) => {
  const file = join(tempFolder('history'), 'history.json');
  writeFileSync(file, text);
  const told: string[] = [];
  const history = new HistoryFile(file, (message) => told.push(message));
  expect(await history.load()).toEqual([]);
  expect(told).toEqual([
    `${file} does not hold finished changes: it was set aside as ${file}.aside; ring history begins anew`,
  ]);
  await history.save([]);
  expect(readFileSync(`${file}.aside`, 'utf8')).toBe(text);
});

it('that is not there yet is nothing to tell of', async () => {
  const told: string[] = [];
  const history = new HistoryFile(join(tempFolder('history'), 'history.json'), (message) => told.push(message));
  expect(await history.load()).toEqual([]);
  await history.save([]);
  expect(await history.load()).toEqual([]);
  expect(told).toEqual([]);
});
