/** Replicated keys, for commands that concern keys of nodes as well: their part of MGET and DEL, of KEYS and SCAN. */
import type { Command } from '../../../commands/command.js';
import { BUCKETS } from '../../../fleet/values/entry.js';
import { typeOf } from '../../../fleet/values/read-state.js';
import { bulk } from '../../../resp/encode.js';
import { matchesGlob } from '../../../resp/glob.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import type { LocalKeys, LocalPage } from '../../route/local-keys.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import { keyOf } from './all-keys.js';
import type { Call } from './call.js';
import { operationOf } from './operations.js';
import { refusalInTransaction, refusalOfValue } from './refusals.js';

const NO_REPLY = Buffer.alloc(0);

export class KeysHere implements LocalKeys {
  readonly #call: Call;
  readonly #groups: KeyGroups;
  readonly refusalOfValue = refusalOfValue;

  constructor(call: Call, groups: KeyGroups) {
    this.#call = call;
    this.#groups = groups;
  }

  get isUsed(): boolean {
    return this.#call.store.size > 0 || this.#groups.groups.some(({ policy }) => policy?.cache === 'replicated');
  }

  has(source: Uint8Array, start: number, end: number): boolean {
    return this.#groups.hasPolicies && this.#groups.policyOf(source, start, end)?.cache === 'replicated';
  }

  refusal(source: Uint8Array, start: number, end: number): Buffer {
    return refusalInTransaction(this.#groups.nameOf(this.#groups.groupOf(source, start, end)));
  }

  run(command: Command, framer: RequestFramer, kind: LaneKind, positions: readonly number[]): Buffer {
    const source = framer.source as Buffer;
    const call = this.#call;
    call.begin(command.name, framer, source, kind);
    call.keys = positions;
    call.isPart = true;
    return operationOf(command.onReplicated)?.(call) ?? NO_REPLY;
  }

  flush(all: boolean, database: number): void {
    const { store } = this.#call;
    if (all) store.flushAll();
    else store.flush(database);
  }

  scan(database: number, { from, count, match, type }: LocalPage): { next: number; keys: Buffer[] } {
    const { store } = this.#call;
    const keys: Buffer[] = [];
    let lookedAt = 0;
    // A bucket is never cut: which keys are in it says their hash alone, so none is missed between two pages.
    for (let bucket = from; bucket < BUCKETS; bucket++) {
      if (lookedAt >= count) return { next: bucket, keys };
      for (const entry of store.bucket(database, bucket)) {
        lookedAt++;
        const key = keyOf(this.#call, entry);
        if (key === null || (type !== null && typeOf(entry.state) !== type)) continue;
        if (match === null || matchesGlob(match, key)) keys.push(bulk(key));
      }
    }
    return { next: 0, keys };
  }
}
