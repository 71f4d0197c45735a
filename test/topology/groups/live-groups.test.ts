import { describe, expect, it } from 'vitest';
import { readKeyGroups } from '../../../src/config/key-groups.js';
import type { RingproxyError } from '../../../src/errors.js';
import type { KeyGroup } from '../../../src/proxy/caching/policy.js';
import { LiveGroups, type LiveGroupsPorts } from '../../../src/topology/groups/live-groups.js';
import type { GroupRecords, GroupsRecord } from '../../../src/topology/store/group-records.js';
import { LocalStore } from '../../../src/topology/store/local-store.js';

function groupsOf(written: unknown): readonly KeyGroup[] {
  const read = readKeyGroups(written);
  if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
  return read.groups;
}

const CONFIGURED = groupsOf({ sessions: 's:', pages: 'page:' });
const ANY = { force: false, revision: null };
const NODE = { node: 'n1', address: '127.0.0.1:7001' };

interface Proxy {
  readonly live: LiveGroups;
  readonly warnings: string[];
  /** What the data plane was told, by names. */
  readonly used: string[][];
}

function proxyOn(
  store: GroupRecords & Pick<LocalStore, 'watch'>,
  memberId = 'p1',
  look: LiveGroupsPorts['look'] = async () => [],
): Proxy {
  const warnings: string[] = [];
  const used: string[][] = [];
  const live = new LiveGroups({
    store,
    configured: CONFIGURED,
    memberId: () => memberId,
    use: (groups) => used.push(groups.map(({ group }) => group)),
    look,
    warn: (message) => warnings.push(message),
  });
  return { live, warnings, used };
}

const namesOf = ({ live }: Proxy): string[] => live.inForce.groups.map(({ group }) => group);

function recordOf(policy: Record<string, string>, prefixes = ['page:']): GroupsRecord {
  return { groups: [{ group: 'pages', prefixes, policy }], by: 'p2', at: '2026-01-01T00:00:00.000Z' };
}

describe('the groups of keys that a proxy goes by', () => {
  it('are those of its configuration, until some are recorded', async () => {
    const store = new LocalStore('p1', null);
    const [one, other] = [proxyOn(store), proxyOn(store, 'p2')];
    await one.live.begin();
    await other.live.begin();
    expect([one.used, other.used, one.live.inForce.stored]).toEqual([[], [], null]);
    await one.live.change({ kind: 'set', group: 'pages', words: { cache: 'near' } }, ANY);
    for (const proxy of [one, other]) {
      expect(proxy.used).toEqual([['sessions', 'pages']]);
      expect(proxy.live.inForce.stored?.record.by).toBe('p1');
      expect(proxy.live.inForce.groups[1]?.policy?.cache).toBe('near');
    }
    await other.live.change({ kind: 'reset' }, ANY);
    expect(one.live.inForce).toMatchObject({ groups: CONFIGURED, stored: { record: { groups: null, by: 'p2' } } });
  });

  it('are those that are recorded, which win over the configuration at a start', async () => {
    const store = new LocalStore('p1', null);
    await store.saveGroups(null, recordOf({ cache: 'near' }));
    const proxy = proxyOn(store);
    await proxy.live.begin();
    expect(proxy.used).toEqual([['pages']]);
    expect(proxy.warnings).toEqual([
      'the groups of keys that are recorded win over the configuration: sessions is gone',
      'the groups of keys that are recorded win over the configuration: pages is near (page:), and was sharded (page:)',
    ]);
  });

  it('are those that it knew last, where the store does not answer', async () => {
    const store = new LocalStore('p1', null);
    const proxy = proxyOn({
      watch: (listener) => store.watch(listener),
      loadGroups: () => Promise.reject(new Error('out of reach')),
      saveGroups: () => Promise.reject(new Error('out of reach')),
    });
    await proxy.live.begin({ revision: 7, record: recordOf({}) });
    expect(namesOf(proxy)).toEqual(['pages']);
    await expect(proxy.live.change({ kind: 'remove', group: 'pages' }, ANY)).rejects.toThrow('out of reach');
    expect(namesOf(proxy)).toEqual(['pages']);
  });

  it('stay as they are where a record is not understood, which can be replaced whole', async () => {
    const store = new LocalStore('p1', null);
    const proxy = proxyOn(store);
    await proxy.live.begin();
    await store.saveGroups(null, recordOf({ 'of-tomorrow': '1' }));
    expect(namesOf(proxy)).toEqual(['sessions', 'pages']);
    expect(proxy.warnings).toEqual([expect.stringMatching(/of-tomorrow.*goes on by those that it knows/)]);
    const set = proxy.live.change({ kind: 'set', group: 'pages', words: { cache: 'near' } }, ANY);
    await expect(set).rejects.toMatchObject({ code: 'RING_RECORD' });
    await proxy.live.change({ kind: 'all', written: { a: 'a:' } }, ANY);
    expect(namesOf(proxy)).toEqual(['a']);
  });
});

describe('changes of the groups of keys at once', () => {
  it('are all done where they are of different groups', async () => {
    const store = new LocalStore('p1', null);
    const proxies = ['p1', 'p2', 'p3', 'p4'].map((id) => proxyOn(store, id));
    for (const { live } of proxies) await live.begin();
    await Promise.all(
      proxies.map(({ live }, i) => live.change({ kind: 'set', group: `g${i}`, words: { prefixes: `${i}:` } }, ANY)),
    );
    for (const proxy of proxies) expect(namesOf(proxy).sort()).toEqual(['g0', 'g1', 'g2', 'g3', 'pages', 'sessions']);
  });

  it('are refused to whoever names what was there before', async () => {
    const store = new LocalStore('p1', null);
    const proxy = proxyOn(store);
    await proxy.live.begin();
    const change = { kind: 'all', written: { a: 'a:' } } as const;
    await proxy.live.change(change, { force: false, revision: 0 });
    const late = proxy.live.change({ kind: 'all', written: { b: 'b:' } }, { force: false, revision: 0 });
    await expect(late).rejects.toMatchObject({ code: 'GROUPS_CHANGED' });
    expect(namesOf(proxy)).toEqual(['a']);
    // Nothing is recorded where nothing is to change.
    await proxy.live.change(change, ANY);
    expect(proxy.live.inForce.stored?.revision).toBe(1);
  });
});

describe('changes of the groups of keys that may hide some', () => {
  const change = { kind: 'set', group: 'pages', words: { cache: 'replicated' } } as const;
  const found = (fields: object): LiveGroupsPorts['look'] => {
    return async (hidden) =>
      hidden.map(({ prefixes }) => ({
        ...NODE,
        prefixes: [...prefixes],
        keys: 0,
        complete: true,
        error: null,
        ...fields,
      }));
  };
  const refusal = (look: LiveGroupsPorts['look']): Promise<unknown> =>
    proxyOn(new LocalStore('p1', null), 'p1', look)
      .live.change(change, ANY)
      .then(
        () => null,
        (error: RingproxyError) => [error.code, error.message],
      );

  it('are done where there are none, and refused where there are, or nobody knows', async () => {
    expect(await refusal(found({}))).toBe(null);
    expect(await refusal(found({ keys: 3 }))).toEqual([
      'HIDES_KEYS',
      "keys that are there would not be seen any more: 3 of 'page:…' on n1 (127.0.0.1:7001)",
    ]);
    expect(await refusal(found({ keys: 3, complete: false }))).toEqual([
      'HIDES_KEYS',
      "keys that are there would not be seen any more: at least 3 of 'page:…' on n1 (127.0.0.1:7001), where not all were looked at",
    ]);
    expect(await refusal(found({ complete: false, error: 'it is down' }))).toEqual([
      'HIDES_KEYS',
      "it is not known whether there are keys that would not be seen any more: on n1 (127.0.0.1:7001) 'page:…' could not be looked for: it is down",
    ]);
    expect(await refusal(found({ node: null, address: null, keys: 2 }))).toEqual([
      'HIDES_KEYS',
      "keys that are there would not be seen any more: 2 of 'page:…' in the proxies",
    ]);
  });

  it('are done by force without a look, and told before they are done', async () => {
    let looks = 0;
    const proxy = proxyOn(new LocalStore('p1', null), 'p1', (hidden) => {
      looks++;
      return found({ keys: 3 })(hidden);
    });
    expect(await proxy.live.preview(change, { revision: null })).toEqual({
      dryRun: true,
      source: 'ring',
      revision: 0,
      differences: ['pages is replicated (page:), and was sharded (page:)'],
      groups: [
        { group: 'sessions', prefixes: ['s:'], policy: { cache: 'sharded' } },
        { group: 'pages', prefixes: ['page:'], policy: { cache: 'replicated' } },
      ],
      hidden: [{ ...NODE, prefixes: ['page:'], keys: 3, complete: true, error: null }],
      needsForce: true,
    });
    expect([proxy.used, looks]).toEqual([[], 1]);
    await proxy.live.change(change, { ...ANY, force: true });
    expect([proxy.used.length, looks]).toEqual([1, 1]);
    const late = proxy.live.preview({ kind: 'reset' }, { revision: 0 });
    await expect(late).rejects.toMatchObject({ code: 'GROUPS_CHANGED' });
    expect(await proxy.live.preview({ kind: 'reset' }, { revision: 1 })).toMatchObject({ source: 'configuration' });
  });

  it('are looked at again where somebody else was faster', async () => {
    const store = new LocalStore('p1', null);
    const other = proxyOn(store, 'p2');
    let looks = 0;
    const proxy = proxyOn(store, 'p1', async (hidden) => {
      if (looks++ === 0) await other.live.change({ kind: 'set', group: 'new', words: { prefixes: 'n:' } }, ANY);
      return found({})(hidden);
    });
    await proxy.live.begin();
    await proxy.live.change(change, ANY);
    expect([looks, namesOf(proxy)]).toEqual([2, ['sessions', 'pages', 'new']]);
  });
});
