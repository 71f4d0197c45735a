/** Simulated nodes, and the referee who looks at everything that they carry out. */
import { buildRingSync } from '../../../src/ring/build.js';
import { Rings } from '../../../src/ring/rings.js';
import { overNodes } from '../../../src/ring/union.js';
import { unionOf } from '../../../src/topology/state/ring-state.js';
import type { StoredRing } from '../../../src/topology/store/ring-store.js';
import type { SimulatedEtcd } from './simulated-store.js';

/** A connection as its node knows it. */
export interface NodeConnection {
  readonly id: number;
  readonly name: string;
}

/** A connection that moves keys: whose, of which source, by which claim. */
const MOVER_NAME = /^ringproxy-move:([0-9a-f]+)\.(\d+)\.(\d+)$/;

/** By which right keys of a source are moved. */
interface MoverRight {
  readonly source: number;
  readonly revision: number;
}

/** What every connection of a member is called: the data plane's, and those that move keys. */
function isOf(name: string, member: string): boolean {
  return name === `ringproxy:${member}` || name.startsWith(`ringproxy-move:${member}.`);
}

export class SimulatedNode {
  /** As other places know it. */
  readonly address: string;
  readonly #referee: Referee;
  readonly #connections = new Map<number, NodeConnection>();

  constructor(address: string, referee: Referee) {
    this.address = address;
    this.#referee = referee;
  }

  accept(connection: NodeConnection): void {
    this.#connections.set(connection.id, connection);
  }

  /** @returns whether it was carried out: not by a connection that was dropped */
  execute(connection: number, key: string): boolean {
    const { name } = this.#connections.get(connection) ?? {};
    if (name === undefined) return false;
    this.#referee.command(this.address, key, name);
    return true;
  }

  /** A batch of keys leaves for their next owners. @returns as `execute` */
  move(connection: number, right: MoverRight): boolean {
    const { name } = this.#connections.get(connection) ?? {};
    if (name === undefined) return false;
    this.#referee.batch(this.address, right, name);
    return true;
  }

  drop(concerned: (connection: NodeConnection) => boolean): void {
    for (const connection of this.#connections.values()) {
      if (concerned(connection)) this.#connections.delete(connection.id);
    }
  }

  /** Those that move the source's keys by a claim before this one. */
  dropMovers(source: number, before: number): void {
    this.drop(({ name }) => {
      const [, , moves, revision] = MOVER_NAME.exec(name) ?? [];
      return moves !== undefined && Number(moves) === source && Number(revision) < before;
    });
  }

  dropOf(members: readonly string[]): void {
    this.drop(({ name }) => members.some((member) => isOf(name, member)));
  }
}

/** What is recorded, and which node each key is on by it. */
interface Law {
  readonly rings: Rings;
  readonly addresses: readonly string[];
}

/** Knows at every moment which node may carry out a command on which key. */
export class Referee {
  readonly #etcd: SimulatedEtcd;
  #law: { readonly ring: StoredRing; readonly law: Law } | null = null;
  readonly violations: string[] = [];
  /** The newest claim by which each source's keys were moved, by change and source. */
  readonly #movers = new Map<string, number>();
  commands = 0;
  batches = 0;

  constructor(etcd: SimulatedEtcd) {
    this.#etcd = etcd;
  }

  command(address: string, key: string, by: string): void {
    this.commands++;
    const ring = this.#etcd.ring;
    if (ring === null) return;
    const { rings, addresses } = this.#lawOf(ring);
    const bytes = Buffer.from(key);
    const hash = rings.hashOf(bytes, 0, bytes.length);
    const { change } = ring.state;
    const hasMoved = change !== null && change.phase !== 'preparing';
    const owner = hasMoved ? rings.nextOwnerOf(hash) : rings.ownerOf(hash);
    if (addresses[owner] === address) return;
    const phase = change === null ? 'stable' : change.phase;
    this.violations.push(`${by} has written ${key} at ${address} in ${phase}, where ${addresses[owner]} has it`);
  }

  batch(address: string, { source, revision }: MoverRight, by: string): void {
    this.batches++;
    const ring = this.#etcd.ring;
    const change = ring?.state.change ?? null;
    if (ring === null || change === null || change.phase === 'preparing') {
      this.violations.push(`${by} has moved keys of ${address} while none move`);
      return;
    }
    const { rings, addresses } = this.#lawOf(ring);
    if (!rings.sources().has(addresses.indexOf(address))) {
      this.violations.push(`${by} has moved keys of ${address}, which loses none`);
    }
    const at = `${change.id} ${source}`;
    const newest = this.#movers.get(at) ?? 0;
    if (revision < newest) this.violations.push(`${by} has moved keys of ${address} behind the claim ${newest}`);
    this.#movers.set(at, Math.max(newest, revision));
  }

  #lawOf(ring: StoredRing): Law {
    if (this.#law?.ring === ring) return this.#law.law;
    const { members, options, change } = ring.state;
    const union = change === null ? members : unionOf(members, change.members);
    const own = buildRingSync(members, options);
    const rings =
      change === null
        ? new Rings(own, null)
        : new Rings(overNodes(own, union), overNodes(buildRingSync(change.members, options), union));
    const law = { rings, addresses: union.map(({ address }) => address) };
    this.#law = { ring, law };
    return law;
  }
}
