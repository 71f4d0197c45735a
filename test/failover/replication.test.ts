import { describe, expect, it } from 'vitest';
import { lossOf, type Replication, readReplication } from '../../src/failover/replication.js';

const NONE = '0'.repeat(40);

const info = (role: string, id: string, offset: number, second = NONE, secondOffset = -1): string =>
  [
    '# Replication',
    `role:${role}`,
    `master_replid:${id}`,
    `master_replid2:${second}`,
    `master_repl_offset:${offset}`,
    `second_repl_offset:${secondOffset}`,
    '',
  ].join('\r\n');

const read = (text: string): Replication => readReplication(text) as Replication;

describe("a server's part in replication", () => {
  it('is read from INFO', () => {
    expect(readReplication(info('slave', 'a', 7))).toEqual({
      ...{ role: 'replica', history: 'a', formerHistory: '', formerOffset: 0, offset: 7 },
    });
    expect(readReplication('nonsense')).toBeNull();
  });

  it('tells what a failover has lost', () => {
    const next = read(info('master', 'b', 130, 'a', 101));
    expect(lossOf(read(info('master', 'a', 100)), null, next)).toEqual({ bytes: 0, known: 'exactly' });
    expect(lossOf(read(info('master', 'a', 150)), null, next)).toEqual({ bytes: 50, known: 'exactly' });
    // The former master is gone, and was asked before.
    expect(lossOf(null, read(info('master', 'a', 120)), next)).toEqual({ bytes: 20, known: 'at least' });
    expect(lossOf(null, read(info('master', 'a', 90)), next)).toEqual({ bytes: 0, known: 'at least' });
    // It has become a replica already, and knows its own history no more.
    expect(lossOf(read(info('slave', 'b', 130)), null, next)).toEqual({ bytes: null, known: 'not' });
    expect(lossOf(null, null, null)).toEqual({ bytes: null, known: 'not' });
  });
});
