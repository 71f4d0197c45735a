/** The columns of the command table against what Redis says of its commands, and against each other. */
import { beforeAll, describe, expect, it } from 'vitest';
import { categoriesOf } from '../../src/commands/acl.js';
import { buildCommandTable, type CommandInfo, parseCommandReply } from '../../src/commands/build.js';
import type { Command } from '../../src/commands/command.js';
import { POLICY, type PolicyRow } from '../../src/commands/policy.js';
import { startRedis } from '../support/redis-process.js';

const rows = new Map([...buildCommandTable().rows()].flatMap(withSubcommands).map((row) => [row.name, row]));
let known: readonly CommandInfo[];

function withSubcommands(row: Command): Command[] {
  return [row, ...(row.subcommands?.rows() ?? [])];
}

beforeAll(async () => {
  const redis = await startRedis();
  const infos = parseCommandReply(await redis.client().call('COMMAND'));
  known = infos.flatMap((info) => [
    info,
    ...info.subcommands.map((sub) => ({ ...sub, name: `${info.name}|${sub.name}` })),
  ]);
});

/** Names of the rows for which `holds` is true. */
function namesWhere(holds: (row: Command) => boolean): string[] {
  return [...rows.values()].filter(holds).map((row) => row.name);
}

function flagged(flag: string): string[] {
  return known.filter((info) => info.flags.includes(flag)).map((info) => info.name);
}

describe('ACL categories', () => {
  it('are those of Redis, for every command and subcommand that it knows', () => {
    const policy: Readonly<Record<string, PolicyRow>> = POLICY;
    const differing = known.flatMap(({ name, flags, categories = [] }) => {
      // From the flags of this Redis: the library's are of a newer one, in which WAIT counts as blocking.
      const own = categoriesOf(flags, policy[name]?.acl ?? []).sort();
      const theirs = [...categories].sort();
      return own.join() === theirs.join() ? [] : [{ name, own, theirs }];
    });
    expect(known.length).toBeGreaterThan(350);
    expect(differing).toEqual([]);
  });

  it('of a command that only the nodes know are those that they say', () => {
    const [info] = parseCommandReply([['m.get', 2, ['readonly'], 1, 1, 1, ['@read', '@slow', '@mine'], [], [], []]]);
    expect(info?.categories).toEqual(['read', 'slow']);
    expect(buildCommandTable(info === undefined ? [] : [info]).get('m.get')?.categories).toEqual(['read', 'slow']);
  });
});

describe('what the proxy decides by', () => {
  it('are the flags of Redis, where it has such', () => {
    expect(namesWhere((row) => row.beforeAuth).sort()).toEqual(flagged('no_auth').sort());
    expect(namesWhere((row) => row.inTransaction === 'never').sort()).toEqual(flagged('no_multi').sort());
    const waiting = namesWhere((row) => row.waits !== null && row.waits.timeoutAt !== 'unknown');
    expect(waiting.filter((name) => !name.startsWith('wait')).sort()).toEqual(flagged('blocking').sort());
  });

  it('is told of every write that may make a key what it does to times to live', () => {
    const growing = new Set(flagged('denyoom'));
    const silent = namesWhere(
      (row) => row.write && row.route === 'owner' && growing.has(row.name) && row.ttlBehind === null && !row.ttlGiven,
    );
    // They change keys that are there.
    expect(silent.sort()).toEqual(
      ['linsert', 'lpushx', 'lset', 'pfdebug', 'rpushx', 'xgroup|createconsumer', 'xsetid'].sort(),
    );
    const learned = buildCommandTable([
      { name: 'm.write', arity: -2, flags: ['write'], firstKey: 1, lastKey: 1, step: 1, subcommands: [] },
    ]);
    expect(learned.get('m.write')?.ttlBehind).toEqual({ of: 'every', isNew: true, isAny: true });
  });

  it('a module cannot say of itself: its commands need the password', () => {
    const learned = buildCommandTable([
      { name: 'm.open', arity: -1, flags: ['no_auth', 'fast'], firstKey: 0, lastKey: 0, step: 0, subcommands: [] },
    ]);
    expect(learned.get('m.open')).toMatchObject({
      ...{ beforeAuth: false, cacheRead: 'none', ownWrite: 'none', waits: null, inTransaction: 'queued' },
      ...{ whileSubscribed: 'refused', onAllKeys: false, replicated: false, whilePaused: false, secrets: null },
    });
  });

  it('fits the route', () => {
    const strange = namesWhere((row) => {
      const isRead = row.route === 'owner' && row.readOnly;
      const isOfProxy = ['at once', 'by node', 'select', 'here', 'here, peers told', 'refused'].includes(
        row.inTransaction,
      );
      return (
        (row.missingReply !== null && !isRead) ||
        (row.nearRead !== 'never' && !(isRead && row.singleKeyAt === 1)) ||
        (row.everywhere !== null && row.route !== 'all') ||
        (row.inTransaction === 'everywhere' && row.route !== 'all') ||
        (row.onAllKeys && row.route !== 'all') ||
        (row.administration !== null && row.route !== 'admin') ||
        (row.special !== null && row.route !== 'owner') ||
        (row.publishes !== null && row.inTransaction !== 'by node') ||
        (row.ownWrite !== 'none' && !row.write) ||
        (row.transactionStep !== null && row.inTransaction !== 'at once') ||
        isOfProxy !== (row.route === 'proxy')
      );
    });
    expect(strange).toEqual([]);
  });
});
