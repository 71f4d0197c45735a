/**
 * MGET, of which each part is what GET answers. When all of them are kept the reply is made of them. Otherwise it goes to
 * the nodes as it came, and the proxy reads what is missing once more for itself, where it has been missing before.
 */
import type { Command } from '../../../commands/command.js';
import { writeArrayHeader } from '../../../resp/encode.js';
import { bulkIsNull } from '../../../resp/inspect.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { lastingBytes } from '../../../resp/words.js';
import { LATER, TAKEN, type Verdict } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { PASS } from '../policies.js';
import type { NearPorts } from './ports.js';
import type { Reads } from './reads.js';
import { FRESH, OVER, UNSURE } from './store/judge.js';
import { keyHashOf, kindOf, type NearStore, readHashOf } from './store/near-store.js';
import { GROUP, NONE } from './store/record.js';
import type { Touches } from './touches.js';
import type { Waiters } from './waiters.js';

/** Keys that are read for one command beside it. */
const MOST_OWN_READS = 64;
/** More is not gathered in one piece. */
const MOST_REPLY_BYTES = 262_144;
const HEADER_BYTES = 16;

/** What the keys of the command at hand have as records. */
let records = new Int32Array(256);
let reply = lastingBytes(16_384);

export class Mget {
  readonly #ports: NearPorts;
  readonly #reads: Reads;
  readonly #touches: Touches;
  readonly #waiters: Waiters;

  constructor(ports: NearPorts, reads: Reads, touches: Touches, waiters: Waiters) {
    this.#ports = ports;
    this.#reads = reads;
    this.#touches = touches;
    this.#waiters = waiters;
  }

  /** @param get the row of GET */
  read(
    client: ClientConnection,
    framer: RequestFramer,
    command: Command,
    get: Command,
    source: Buffer,
    store: NearStore,
  ): Verdict | typeof PASS {
    const { argc } = framer;
    const { protocol, database } = client.kind;
    const kind = kindOf(get.id, protocol, database);
    if (this.#reads.mayServe(client) && argc > 1) {
      const verdict = this.#serve(client, command, argc, kind, source, store);
      if (verdict !== PASS) return verdict;
      this.#fillMissing(client, get, argc, kind, source, store);
    }
    if (this.#waiters.size > 0) this.#waiters.forget(client);
    this.#touches.note(command, argc, source);
    return PASS;
  }

  #serve(
    client: ClientConnection,
    command: Command,
    argc: number,
    kind: number,
    source: Buffer,
    store: NearStore,
  ): Verdict | typeof PASS {
    if (records.length < argc) records = new Int32Array(argc * 2);
    let bytes = HEADER_BYTES;
    let unsure = false;
    let missing = false;
    for (let i = 1; i < argc; i++) {
      const start = (args.end[i - 1] as number) + 2;
      const end = (args.end[i] as number) + 2;
      const record = store.find(readHashOf(kind, source, start, end), kind, source, start, end);
      records[i] = record;
      if (record === NONE) {
        missing = true;
        continue;
      }
      const state = this.#reads.judge(store, record);
      if (state === OVER) {
        store.end(record);
        records[i] = NONE;
        // One key may stand there twice.
        for (let before = 1; before < i; before++) if (records[before] === record) records[before] = NONE;
      }
      if (state === UNSURE) unsure = true;
      else if (state !== FRESH) missing = true;
      else if (this.#reads.waitsForOwn(client, store, record)) return LATER;
      bytes += store.replyEnd(record) - store.replyStart(record);
    }
    if (missing || bytes > MOST_REPLY_BYTES) return PASS;
    if (unsure) return this.#waiters.wait(client, this.#ports.router.shared.clock.now) ? LATER : PASS;
    if (reply.length < bytes) reply = lastingBytes(bytes * 2);
    let at = writeArrayHeader(reply, 0, argc - 1);
    const { counters } = this.#ports.router.shared;
    for (let i = 1; i < argc; i++) {
      const record = records[i] as number;
      const from = store.replyStart(record);
      this.#reads.count(store, record);
      counters.read(store.numbers[record + GROUP] as number, !bulkIsNull(store.bytes, from));
      at += store.bytes.copy(reply, at, from, store.replyEnd(record));
    }
    if (this.#waiters.size > 0) this.#waiters.forget(client);
    client.replyCopy(command.id, reply, 0, at);
    return TAKEN;
  }

  #fillMissing(
    client: ClientConnection,
    get: Command,
    argc: number,
    kind: number,
    source: Buffer,
    store: NearStore,
  ): void {
    const { router } = this.#ports;
    const { groups } = router.shared.counters;
    const { snapshot } = router;
    let left = MOST_OWN_READS;
    for (let i = 1; i < argc && snapshot !== null; i++) {
      const start = args.start[i] as number;
      const end = args.end[i] as number;
      const policy = groups.policyOf(source, start, end);
      if (policy?.cache !== 'near' || policy.nearTtl === 0 || records[i] !== NONE) continue;
      const group = groups.groupOf(source, start, end);
      groups.nearRead(group, false);
      const from = (args.end[i - 1] as number) + 2;
      const hash = readHashOf(kind, source, from, end + 2);
      const keyHash = keyHashOf(source, start, end);
      if (!this.#reads.admits(hash, keyHash) || store.find(hash, kind, source, from, end + 2) !== NONE) continue;
      if (left-- === 0) return;
      const leavesOut = policy.fillWait > 0 || policy.stale > 0 || policy.earlyRefresh ? get.missingReply : null;
      const ringHash = snapshot.rings.hashOf(source, start, end);
      const order = { hash, kind, keyHash, ringHash, group, most: policy.nearTtl, leavesOut };
      this.#reads.fillOwn(client, source, from, end + 2, order);
    }
  }
}
