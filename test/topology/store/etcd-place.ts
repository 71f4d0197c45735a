/** Rings in a real etcd, for tests. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { EtcdStore, type EtcdStoreOptions } from '../../../src/topology/store/etcd-store.js';
import { atEnd } from '../../support/cleanup.js';
import { CutRelay } from '../../support/cut-relay.js';
import type { EtcdCluster } from '../../support/etcd-process.js';
import type { Place } from './contract.js';

export const NO_TLS = () => ({});

/** A store that ends with its test. */
export function storeAt(endpoints: readonly string[], options: Partial<EtcdStoreOptions> = {}): EtcdStore {
  const store = new EtcdStore({
    endpoints,
    login: null,
    tls: NO_TLS,
    prefix: '/test/',
    ringName: randomUUID(),
    memberTtl: 10_000,
    onTrouble: (message) => {
      throw new Error(message);
    },
    ...options,
  });
  atEnd(() => store.close());
  return store;
}

/** A ring of its own. Each store reaches each member by a network of its own, so that it can be killed. */
export function etcdPlace(cluster: EtcdCluster): Place<EtcdStore> {
  const ringName = randomUUID();
  const relays = new Map<unknown, readonly CutRelay[]>();
  return {
    open: async () => {
      const own = await Promise.all(cluster.members.map(({ clientPort }) => CutRelay.start(clientPort)));
      const store = storeAt(
        own.map(({ url }) => url),
        { ringName },
      );
      relays.set(store, own);
      await store.open();
      return store;
    },
    kill: async (store) => {
      for (const relay of relays.get(store) ?? []) relay.refuse();
      // What a process leaves behind ends with its leases: as if their time had run out.
      await revokeLeases(cluster, `/test/${ringName}/`);
    },
  };
}

/** Ends all leases that keys with this prefix hang on. */
async function revokeLeases(cluster: EtcdCluster, prefix: string): Promise<void> {
  const leases = new Set((await keysUnder(cluster, prefix)).map(({ lease }) => lease ?? '0'));
  leases.delete('0');
  for (const ID of leases) await cluster.call('/v3/lease/revoke', { ID });
}

export interface RawKey {
  readonly key: string;
  readonly value: string;
  readonly lease?: string;
  readonly mod_revision?: string;
}

/** What stands in etcd, past the store. */
export async function keysUnder(cluster: EtcdCluster, prefix: string): Promise<RawKey[]> {
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  const end = `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
  const answer = await cluster.call('/v3/kv/range', { key: encoded(prefix), range_end: encoded(end) });
  expect(answer).toHaveProperty('header');
  if (typeof answer !== 'object' || answer === null || !('kvs' in answer) || !Array.isArray(answer.kvs)) return [];
  return answer.kvs.map((kv: RawKey) => ({
    ...kv,
    key: Buffer.from(kv.key, 'base64').toString(),
    value: Buffer.from(kv.value ?? '', 'base64').toString(),
  }));
}
