/** The client at endpoints that do what no etcd should. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { EtcdClient, type EtcdClientOptions, type EtcdRequestEvent } from '../../src/etcd/index.js';
import { atEnd } from '../support/cleanup.js';
import { EtcdGateway, type Fate } from '../support/etcd-gateway.js';
import { freePort } from '../support/free-port.js';

const REQUEST = 'ringproxy:etcd:request';
const RANGE = '/v3/kv/range';
const LOGIN = '/v3/auth/authenticate';
const TLS = () => ({});
const QUICK = { total: 900, each: 300 };

function clientOf(endpoints: readonly string[], options: Partial<EtcdClientOptions> = {}): EtcdClient {
  const client = new EtcdClient({ endpoints, login: null, tls: TLS, ...options });
  atEnd(() => client.close());
  return client;
}

function answer(body: object, status = 200): Fate {
  return { kind: 'answer', status, body: JSON.stringify(body) };
}

function error(message: string, code: number, status: number): Fate {
  return answer({ error: message, message, code }, status);
}

const header = { cluster_id: '7', member_id: '8', revision: '42', raft_term: '2' };
const kv = { key: 'Zm9v', value: 'YsOkcg==', create_revision: '40', mod_revision: '41', version: '2' };
const good = answer({ header, kvs: [kv], count: '1' });
const found = [{ key: 'foo', value: 'bär', create_revision: 40, mod_revision: 41, version: 2, lease: '0' }];

describe('a request to etcd', () => {
  it.each<[string, Fate]>([
    ['hangs', { kind: 'hang' }],
    ['closes the connection', { kind: 'close' }],
    ['answers with a page', { kind: 'answer', status: 200, body: '<html>Welcome</html>' }],
    ['answers with half of it', { kind: 'answer', status: 200, body: '{"header":{"revi' }],
    ['answers with another shape', answer({ kvs: 'none' })],
    ['answers with numbers that are none', answer({ header, kvs: [{ ...kv, mod_revision: 'many' }] })],
    ['answers with a page of a load balancer', { kind: 'answer', status: 502, body: '<h1>Bad Gateway</h1>' }],
    ['has no leader', error('etcdserver: no leader', 14, 503)],
    ['has lost its leader', error('etcdserver: leader changed', 14, 503)],
    ['gives it up', error('etcdserver: request timed out', 14, 503)],
    ['has too much to do', error('etcdserver: too many requests', 8, 429)],
    ['stops', error('etcdserver: server stopped', 14, 503)],
    ['is of another version', answer({ code: 14, message: 'etcdserver: no leader', details: [] }, 503)],
  ])('goes to the next endpoint when one %s, and stays there', async (_what, fate) => {
    const [bad, other] = [await EtcdGateway.start(), await EtcdGateway.start()];
    bad.next(RANGE, fate, 100);
    other.next(RANGE, good, 2);
    const client = clientOf([bad.url, other.url]);
    expect((await client.range({ key: 'foo' }, QUICK)).kvs).toEqual(found);
    expect((await client.range({ key: 'foo' }, QUICK)).kvs).toEqual(found);
    expect([bad.calls.length, other.calls.length]).toEqual([1, 2]);
    expect(client.isReachable).toBe(true);
  });

  it('goes to the next endpoint at once when nobody listens', async () => {
    const other = await EtcdGateway.start();
    other.next(RANGE, good);
    const client = clientOf([`http://127.0.0.1:${await freePort()}`, 'http://no-such-host.invalid:2379', other.url]);
    expect((await client.range({ key: 'foo' })).kvs).toEqual(found);
  });

  it('names every endpoint, and what was the matter there, when none of them answers', async () => {
    const [hanging, closing] = [await EtcdGateway.start(), await EtcdGateway.start()];
    hanging.next(RANGE, { kind: 'hang' }, 100);
    closing.next(RANGE, { kind: 'close' }, 100);
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const client = clientOf([hanging.url, closing.url, nobody]);
    const told: boolean[] = [];
    client.onReachable = (isReachable) => told.push(isReachable);
    const failure = await client.range({ key: 'foo' }, QUICK).catch((caught) => caught);
    expect(failure).toMatchObject({ code: 'ETCD_UNREACHABLE', hint: expect.stringContaining('etcd-endpoints') });
    expect(failure.message).toMatch(
      new RegExp(`${hanging.url}: no answer within \\d+ ms; ${closing.url}: .*; ${nobody}: the connection is refused`),
    );
    for (const gateway of [closing, hanging]) {
      gateway.heal();
      gateway.next(RANGE, good);
    }
    await expect.poll(() => client.range({ key: 'foo' }, QUICK).then(({ count }) => count, String)).toBe(1);
    expect(told).toEqual([false, true]);
  });

  it('says that there is no majority rather than that a member is down', async () => {
    const [other, nobody] = [await EtcdGateway.start(), `http://127.0.0.1:${await freePort()}`];
    other.next(RANGE, error('etcdserver: no leader', 14, 503), 100);
    await expect(clientOf([other.url, nobody]).range({ key: 'foo' }, QUICK)).rejects.toMatchObject({
      code: 'ETCD_NO_LEADER',
      mayHaveHappened: false,
    });
  });

  it.each([
    ['permission denied', 7, 403, 'ETCD_PERMISSION'],
    ['authentication failed, invalid user ID or password', 3, 400, 'ETCD_AUTH'],
    ['user name is empty', 3, 400, 'ETCD_AUTH'],
    ['mvcc: database space exceeded', 8, 429, 'ETCD_FULL'],
    ['request is too large', 3, 400, 'ETCD_TOO_LARGE'],
    ['duplicate key given in txn request', 3, 400, 'ETCD_ANSWER'],
  ] as const)('is not repeated where every endpoint would say the same: %s', async (said, code, status, expected) => {
    const [first, other] = [await EtcdGateway.start(), await EtcdGateway.start()];
    first.next(RANGE, error(`etcdserver: ${said}`, code, status), 100);
    const client = clientOf([first.url, other.url]);
    await expect(client.range({ key: 'foo' })).rejects.toMatchObject({
      code: expected,
      mayHaveHappened: false,
      message: expect.stringContaining(said),
    });
    expect([first.calls.length, other.calls.length]).toEqual([1, 0]);
  });

  it('is not answered by another cluster', async () => {
    const [first, other] = [await EtcdGateway.start(), await EtcdGateway.start()];
    first.next(RANGE, good);
    first.next(RANGE, { kind: 'close' }, 100);
    other.next(RANGE, answer({ header: { ...header, cluster_id: '9' }, kvs: [], count: '0' }), 100);
    const client = clientOf([first.url, other.url]);
    expect((await client.range({ key: 'foo' }, QUICK)).kvs).toEqual(found);
    await expect(client.range({ key: 'foo' }, QUICK)).rejects.toMatchObject({
      code: 'ETCD_ANSWER',
      message: expect.stringContaining(`${other.url}: it belongs to another cluster`),
    });
  });

  it('ends when its client is closed', async () => {
    const hanging = await EtcdGateway.start();
    hanging.next(RANGE, { kind: 'hang' }, 100);
    const client = clientOf([hanging.url]);
    const asked = client.range({ key: 'foo' });
    await hanging.called(RANGE, 1);
    await Promise.all([expect(asked).rejects.toMatchObject({ code: 'ETCD_UNREACHABLE' }), client.close()]);
  });

  it('is told of with its outcome, once for each endpoint', async () => {
    const [bad, other] = [await EtcdGateway.start(), await EtcdGateway.start()];
    const events: EtcdRequestEvent[] = [];
    const listen = (event: unknown): void => void events.push(event as EtcdRequestEvent);
    subscribe(REQUEST, listen);
    atEnd(() => void unsubscribe(REQUEST, listen));
    bad.next(RANGE, { kind: 'hang' });
    other.next(RANGE, good);
    other.next(RANGE, error('etcdserver: permission denied', 7, 403));
    const client = clientOf([bad.url, other.url]);
    await client.range({ key: 'foo' }, QUICK);
    await client.range({ key: 'foo' }, QUICK).catch(() => {});
    expect(events.map(({ operation, outcome, endpoint }) => [operation, outcome, endpoint])).toEqual([
      ['range', 'timeout', bad.url],
      ['range', 'ok', other.url],
      ['range', 'refused', other.url],
    ]);
    expect(events[0]?.seconds).toBeGreaterThan(0.25);
  });
});

describe('a login at etcd', () => {
  const login = { user: 'u', password: 'p' };

  it('is made once for all who need it, and anew when its token is not known any more', async () => {
    const etcd = await EtcdGateway.start();
    etcd.next(LOGIN, answer({ header, token: 'first' }));
    etcd.next(RANGE, good, 3);
    etcd.next(RANGE, error('etcdserver: invalid auth token', 16, 401));
    etcd.next(LOGIN, answer({ header, token: 'second' }));
    etcd.next(RANGE, good);
    const client = clientOf([etcd.url], { login });
    await Promise.all([1, 2, 3].map(() => client.range({ key: 'foo' })));
    expect((await client.range({ key: 'foo' })).kvs).toEqual(found);
    expect(etcd.calls).toEqual([LOGIN, RANGE, RANGE, RANGE, RANGE, LOGIN, RANGE]);
    expect(etcd.tokens).toEqual([undefined, 'first', 'first', 'first', 'first', undefined, 'second']);
  });

  // Some versions end the connection on a token that they do not know, without an answer.
  it('is made anew when a connection ends instead of an answer', async () => {
    const etcd = await EtcdGateway.start();
    etcd.next(LOGIN, answer({ header, token: 'first' }));
    etcd.next(RANGE, { kind: 'close' });
    etcd.next(LOGIN, answer({ header, token: 'second' }));
    etcd.next(RANGE, good);
    expect((await clientOf([etcd.url], { login }).range({ key: 'foo' })).kvs).toEqual(found);
    expect(etcd.tokens.at(-1)).toBe('second');
  });

  it('is not made again and again where no token is ever known', async () => {
    const etcd = await EtcdGateway.start();
    etcd.next(LOGIN, answer({ header, token: 'new' }), 100);
    etcd.next(RANGE, error('etcdserver: invalid auth token', 16, 401), 100);
    await expect(clientOf([etcd.url], { login }).range({ key: 'foo' })).rejects.toMatchObject({ code: 'ETCD_AUTH' });
    expect(etcd.calls.filter((call) => call === LOGIN).length).toBeLessThanOrEqual(3);
  });
});

describe('a lease at etcd', () => {
  const KEEP = '/v3/lease/keepalive';
  // Its id has 64 bits, more than a number holds.
  const ID = '7587863351893452807';

  it('has the time that was granted, counted from when it was asked for', async () => {
    const etcd = await EtcdGateway.start();
    let now = 1000;
    etcd.next('/v3/lease/grant', answer({ header, ID, TTL: '8' }));
    etcd.next(KEEP, { kind: 'close' });
    etcd.next(KEEP, answer({ result: { header, ID, TTL: '8' } }));
    const client = clientOf([etcd.url], { now: () => now++ });
    const lease = await client.grant(3000);
    expect(lease).toMatchObject({ id: ID, ttlMs: 8000 });
    expect(lease.sentAt).toBeLessThan(now);
    const before = now;
    const renewed = await client.keepAlive(ID, QUICK);
    expect(renewed).toMatchObject({ id: ID, ttlMs: 8000, revision: 42 });
    // Of the try that was answered, and of no later instant.
    expect(renewed?.sentAt).toBeGreaterThan(before);
    expect(renewed?.sentAt).toBeLessThan(now);
  });

  it('is gone where no time is left of it', async () => {
    const etcd = await EtcdGateway.start();
    etcd.next(KEEP, answer({ result: { header, ID } }));
    expect(await clientOf([etcd.url]).keepAlive(ID, QUICK)).toBeNull();
  });

  it('that is gone is as good as ended', async () => {
    const etcd = await EtcdGateway.start();
    etcd.next('/v3/lease/revoke', error('etcdserver: requested lease not found', 5, 404));
    await clientOf([etcd.url]).revoke(ID);
  });
});
