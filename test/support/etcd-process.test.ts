/** A real etcd that tests can kill: what it has acknowledged is there when it is back. */
import { describe, expect, it } from 'vitest';
import { type EtcdProcess, startEtcd } from './etcd-process.js';
import { findReferee } from './programs.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function ask(member: EtcdProcess, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${member.endpoint}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

describe.skipIf(findReferee('etcd') === null)('an etcd', () => {
  it.each([1, 3])('of %i keeps what it was told, over a kill of all of it', async (count) => {
    const etcd = await startEtcd(count);
    const [first] = etcd.members;
    const last = etcd.members.at(-1);
    if (first === undefined || last === undefined) throw new Error('there is none');
    await ask(first, 'put', { key: base64('k'), value: base64('v') });
    await etcd.kill();
    await expect(ask(first, 'range', { key: base64('k') })).rejects.toThrow('fetch failed');
    await etcd.restart();
    expect(await ask(last, 'range', { key: base64('k') })).toMatchObject({ kvs: [{ value: base64('v') }] });
  });

  it('of three goes on without one of them', { timeout: 90_000 }, async () => {
    const etcd = await startEtcd(3);
    const [first, second] = etcd.members;
    if (first === undefined || second === undefined) throw new Error('there is none');
    await first.kill();
    // It may have been the leader: until there is another one, nothing is answered.
    const put = (): Promise<boolean> =>
      ask(second, 'put', { key: base64('k'), value: base64('v') }).then(
        () => true,
        () => false,
      );
    await expect.poll(put, { timeout: 30_000 }).toBe(true);
    await first.restart();
    const read = (): Promise<unknown> => ask(first, 'range', { key: base64('k') }).catch(String);
    await expect.poll(read, { timeout: 30_000 }).toMatchObject({ kvs: [{ value: base64('v') }] });
  });
});
