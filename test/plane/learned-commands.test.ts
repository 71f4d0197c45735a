import { describe, expect, it } from 'vitest';
import type { CommandInfo } from '../../src/commands/build.js';
import { LearnedCommands } from '../../src/plane/learned-commands.js';

/** A reply to COMMAND. */
const reply = (...names: string[]): unknown => names.map((name) => [name, 2, ['readonly'], 1, 1, 1]);

/** What a plane with this table was told, and what was logged. */
function plane(...known: string[]): { learned: LearnedCommands; used: string[][]; told: (readonly string[])[] } {
  const used: string[][] = [];
  const told: (readonly string[])[] = [];
  const learned = new LearnedCommands(
    {
      knows: (name) => known.includes(name),
      useCommands: (commands: readonly CommandInfo[]) => {
        used.push(commands.map(({ name }) => name));
        known.push(...commands.map(({ name }) => name));
      },
    },
    (names) => told.push(names),
  );
  return { learned, used, told };
}

describe('commands that nodes know', () => {
  it('are learned once, however many nodes have them', () => {
    const { learned, used, told } = plane('get');
    learned.learn(reply('get', 'json.get'));
    learned.learn(reply('get', 'json.get'));
    expect(used).toEqual([['json.get']]);
    expect(told).toEqual([['json.get']]);
  });

  it('of one node are not forgotten when another one has others', () => {
    const { learned, used } = plane('get');
    learned.learn(reply('json.get'));
    learned.learn(reply('bf.add'));
    expect(used).toEqual([['json.get'], ['json.get', 'bf.add']]);
  });

  it('are left alone by a reply that is none', () => {
    const { learned, used } = plane('get');
    learned.learn(null);
    learned.learn([['x'], 7]);
    expect(used).toEqual([]);
  });
});
