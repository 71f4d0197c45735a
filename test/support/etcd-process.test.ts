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

  it('of three goes on without one of them', async () => {
    const etcd = await startEtcd(3);
    const [first, second] = etcd.members;
    if (first === undefined || second === undefined) throw new Error('there is none');
    await first.kill();
    await ask(second, 'put', { key: base64('k'), value: base64('v') });
    await first.restart();
    expect(await ask(first, 'range', { key: base64('k') })).toMatchObject({ kvs: [{ value: base64('v') }] });
  });
});
