/** A command between MULTI and EXEC: it is checked as it comes, and kept until EXEC. */
import type { Publishes } from '../../../commands/columns.js';
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { error as encodeError } from '../../../resp/encode.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { type KeyHash, NO_HASH } from '../../../ring/rings.js';
import { CHANNEL, type Published, SHARD, type TopicKind } from '../../peers/topic-kind.js';
import type { Verdict } from '../../request/verdict.js';
import { TAKEN } from '../../request/verdict.js';
import { refusalOfAdministration } from '../../route/administration.js';
import { otherDatabaseAt } from '../../route/moving/other-database.js';
import { isReserved, RESERVED_REPLY } from '../../route/reserved.js';
import type { Router } from '../../route/router.js';
import { refusalOfLocalPatterns, refusalOfPatterns } from '../../route/sort-patterns.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import { elementMerge } from './nodes/reply-order.js';
import { PLACEHOLDER } from './own-answers.js';
import type { TransactionPorts } from './ports.js';
import type { Transaction } from './transaction.js';
import type { Watches } from './watches.js';

/** Where a command publishes, as subscribers know it. */
const KINDS = { channel: CHANNEL, shard: SHARD } as const satisfies Record<Publishes, TopicKind>;
const QUEUED = Buffer.from('+QUEUED\r\n');
const TOO_LARGE = encodeError('ERR the transaction is larger than client-query-limit');
/** What a database that the proxy does not offer becomes: the node answers that it is out of range. */
const NO_DATABASE = Buffer.from('*2\r\n$6\r\nSELECT\r\n$2\r\n-1\r\n');

const NOT_INSIDE = encodeError('ERR Command not allowed inside a transaction');

/** Whether the command is one that MULTI does not defer. */
export function runsAtOnce(command: Command): boolean {
  return command.inTransaction === 'at once';
}

export class Queue {
  readonly #router: Router;
  readonly #watches: Watches;
  readonly #ports: TransactionPorts;

  constructor(router: Router, watches: Watches, ports: TransactionPorts) {
    this.#router = router;
    this.#watches = watches;
    this.#ports = ports;
  }

  /** Queues the command that `framer` holds, or refuses it; EXEC then answers EXECABORT, as in Redis. */
  add(client: ClientConnection, transaction: Transaction, command: Command, framer: RequestFramer): Verdict {
    if (command.inTransaction === 'never') return this.#router.refuse(client, command, NOT_INSIDE);
    const { options } = this.#router.shared;
    let refusal: Buffer | null = null;
    let frame: Buffer | null = null;
    switch (command.route) {
      case 'owner':
      case 'split':
        return this.#addKeyed(client, transaction, command, framer);
      case 'any':
        break;
      case 'proxy':
        switch (command.inTransaction) {
          case 'select':
            frame = noteSelect(transaction, framer, options.databases);
            break;
          case 'by node':
            if (command.publishes !== null) transaction.published.push(publishedBy(command.publishes, framer));
            break;
          case 'here':
          case 'here, peers told':
            if (!transaction.aborted) {
              transaction.answeredHere.push({ command, frame: copyOf(framer), at: transaction.frames.count });
              transaction.copied += framer.frameEnd - framer.frameStart;
            }
            frame = PLACEHOLDER;
            break;
          default:
            refusal = notInside(command, 'the proxy answers it, and not a node');
        }
        break;
      case 'admin':
        if (options.adminCommands !== 'allow') refusal = notInside(command, command.reason);
        else if (findKeys(command, args, framer.argc, framer.source) > 0) {
          return this.#addKeyed(client, transaction, command, framer);
        } else refusal = refusalOfAdministration(command, framer);
        if (refusal === null) frame = this.#noteEverywhere(client, transaction, framer, command);
        break;
      case 'all':
        if (command.onAllKeys && command.write) transaction.flushesKeys = true;
        if (command.inTransaction === 'everywhere') {
          frame = this.#noteEverywhere(client, transaction, framer, command);
        }
        if (frame === null && command.merge !== 'info' && !this.#noteReadOfAll(client, transaction, command)) {
          if (this.#router.nodes.length > 1) refusal = ofAllNodes(command);
        }
        break;
      case 'scan':
        if (!this.#noteScan(client, transaction)) refusal = notInside(command, 'it concerns several nodes');
        break;
      default:
        refusal = notInside(command, 'it concerns several nodes');
    }
    if (refusal !== null) return this.#router.refuse(client, command, refusal);
    return this.#keep(client, transaction, command, framer, frame, 0);
  }

  #addKeyed(client: ClientConnection, transaction: Transaction, command: Command, framer: RequestFramer): Verdict {
    const source = framer.source as Buffer;
    const { snapshot } = this.#router;
    // A command whose keys cannot be told is answered by a node, with the error that Redis has for it.
    const count = snapshot === null ? 0 : Math.max(0, findKeys(command, args, framer.argc, source));
    if (transaction.aborted) return this.#keep(client, transaction, command, framer, null, 0);
    let first = NO_HASH;
    let isApart = false;
    for (let i = 0; i < count; i++) {
      const at = keyPositions.at[i] as number;
      const start = args.start[at] as number;
      const end = args.end[at] as number;
      if (isReserved(source, start, end)) return this.#router.refuse(client, command, RESERVED_REPLY);
      const { localKeys } = this.#router;
      if (localKeys?.has(source, start, end)) {
        return this.#router.refuse(client, command, localKeys.refusal(source, start, end));
      }
      const { rings } = snapshot as RoutingSnapshot;
      const hash = rings.hashOf(source, start, end);
      if (i === 0) first = hash;
      if (!isApart && !this.#fits(client, command, transaction, hash, first)) {
        isApart = true;
        const refusal = this.#router.apart.refusalInside(client, framer, command, count);
        if (refusal !== null) return this.#router.refuse(client, command, refusal);
      }
      const owner = this.#router.nodeAt(rings.ownerOf(hash));
      if (owner.busy.reply !== null) {
        transaction.refusedBy = owner;
        return this.#router.refuse(client, command, owner.busy.reply);
      }
    }
    const { special } = command;
    if (special === 'sort' && count > 0) {
      const local = refusalOfLocalPatterns(this.#router.localKeys, framer);
      if (local !== null) return this.#router.refuse(client, command, local);
      const { rings } = snapshot as RoutingSnapshot;
      const refusal = refusalOfPatterns(snapshot as RoutingSnapshot, rings.ownerOf(first), framer);
      const isCut = client.crossNode === 'allow';
      if (refusal !== null && !isCut) return this.#router.refuse(client, command, refusal);
      if (refusal !== null) transaction.overNodes.push(transaction.frames.count);
    }
    if ((special === 'copy' || special === 'move') && otherDatabaseAt(command, framer) > 0) {
      transaction.writesOtherDatabases = true;
    }
    return this.#keep(client, transaction, command, framer, null, count);
  }

  /**
   * Whether the key may be queued, whose hash this is: a command that runs on one node needs keys of one owner, and
   * where transactions are not cut so does all of it. While the ring changes EXEC looks once more.
   * @param first the hash of the command's first key
   */
  #fits(client: ClientConnection, command: Command, { frames }: Transaction, hash: KeyHash, first: KeyHash): boolean {
    const { rings } = this.#router.snapshot as RoutingSnapshot;
    const isCut = client.crossNode === 'allow';
    if (isCut) return command.route === 'split' || this.#haveOneOwner(first, hash);
    const watched = this.#watches.of(client);
    if (watched !== null && !watched.isBroken) {
      const { nodes } = this.#router;
      const next = rings.isChanging ? rings.nextOwnerOf(hash) : rings.ownerOf(hash);
      if (!watched.isOnlyAt(nodes[rings.ownerOf(hash)]) && !watched.isOnlyAt(nodes[next])) return false;
    }
    return this.#haveOneOwner(frames.keyCount > 0 ? frames.hashAt(0) : first, hash);
  }

  /** @returns whether it may */
  #noteScan(client: ClientConnection, transaction: Transaction): boolean {
    const { localKeys } = this.#router;
    if (client.crossNode === 'refuse' || localKeys?.isUsed === true) return false;
    if (transaction.aborted) return true;
    transaction.overNodes.push(transaction.frames.count);
    transaction.scans = true;
    return true;
  }

  /** Whether keys with these hashes are on one node, now or when the ring has changed. */
  #haveOneOwner(one: KeyHash, other: KeyHash): boolean {
    const { rings } = this.#router.snapshot as RoutingSnapshot;
    if (one === other || rings.ownerOf(one) === rings.ownerOf(other)) return true;
    return rings.isChanging && rings.nextOwnerOf(one) === rings.nextOwnerOf(other);
  }

  /**
   * @param instead what is queued instead of the frame at hand; null: the frame
   * @param keys how many of its keys, whose places are in `keyPositions`, tell where the transaction runs
   */
  #keep(
    client: ClientConnection,
    transaction: Transaction,
    command: Command,
    framer: RequestFramer,
    instead: Buffer | null,
    keys: number,
  ): Verdict {
    const { frames } = transaction;
    if (!transaction.aborted) {
      const { frameStart, frameEnd } = framer;
      const source = framer.source as Buffer;
      if (transaction.bytes + frameEnd - frameStart > this.#router.shared.options.clientQueryLimit) {
        return this.#router.refuse(client, command, TOO_LARGE);
      }
      if (instead === null) frames.add(source, frameStart, frameEnd);
      else frames.add(instead, 0, instead.length);
      const { snapshot } = this.#router;
      for (let i = 0; i < keys && snapshot !== null; i++) {
        const at = keyPositions.at[i] as number;
        const start = args.start[at] as number;
        const end = args.end[at] as number;
        frames.addKey(start - frameStart, end - start, snapshot.rings.hashOf(source, start, end));
      }
    }
    if (this.#ports.mayWrite(command, framer)) transaction.writes = true;
    if (command.special !== null || command.everywhere !== null) {
      this.#noteCode(transaction, command, framer);
    }
    client.reply(command.id, QUEUED);
    return TAKEN;
  }

  /** A command about all keys runs as a part of each node's transaction. @returns whether it may */
  #noteReadOfAll(client: ClientConnection, { aborted, readsOfAll, frames }: Transaction, command: Command): boolean {
    const { localKeys } = this.#router;
    const how = command.route === 'all' && command.onAllKeys ? elementMerge(command.merge) : null;
    if (how === null || client.crossNode === 'refuse' || localKeys?.isUsed === true) return false;
    if (!aborted) readsOfAll.push({ at: frames.count, how });
    return true;
  }

  #noteEverywhere(client: ClientConnection, transaction: Transaction, framer: RequestFramer, command: Command): Buffer {
    const frame = copyOf(framer);
    if (transaction.aborted) return frame;
    const ownPart = command.administration === 'settings' ? this.#ports.ownPartOfSettings(framer) : null;
    if (ownPart !== null) transaction.ownParts.push(ownPart);
    const database = transaction.selects.at(-1)?.database ?? client.kind.database;
    const { localKeys } = this.#router;
    if (command.onAllKeys && localKeys !== null) {
      const isOfAll = command.onReplicated === 'flushall';
      transaction.ownParts.push(() => localKeys.flush(isOfAll, database));
    }
    transaction.copied += frame.length;
    transaction.everywhere.push({
      frame,
      at: transaction.frames.count,
      database,
      tolerance: command.tolerance,
    });
    return frame;
  }

  /** Notes what a command needs, when it runs, of the scripts that it brings or calls. */
  #noteCode(transaction: Transaction, command: Command, framer: RequestFramer): void {
    const { scripts } = this.#ports;
    const { special, everywhere } = command;
    if (special === 'script' || special === 'digest' || special === 'code') {
      transaction.runsCode = true;
      if (scripts.mayPublish(command, framer.source as Buffer)) transaction.codePublishes = true;
    }
    if (everywhere === 'flush') transaction.flushesScripts = true;
    const digest = scripts.noteQueued(command, framer);
    if (digest !== '' && !transaction.digests.includes(digest)) transaction.digests.push(digest);
  }
}

/** @returns the frame to queue instead, or null */
function noteSelect(transaction: Transaction, framer: RequestFramer, databases: number): Buffer | null {
  const database = parseStrictInteger(framer.source, args.start[1] as number, args.end[1] as number);
  if (Number.isNaN(database)) return null;
  if (database < 0 || database >= databases) return NO_DATABASE;
  transaction.selects.push({ at: transaction.frames.count, database });
  return null;
}

function publishedBy(on: Publishes, framer: RequestFramer): Published {
  return { kind: KINDS[on], key: (framer.source as Buffer).toString('latin1', args.start[1], args.end[1]) };
}

/** What a command is answered that Redis has in no transaction, nor the proxy anywhere. */
export function refusalInside(command: Command, otherwise: Buffer): Buffer {
  return command.inTransaction === 'never' ? NOT_INSIDE : otherwise;
}

function copyOf(framer: RequestFramer): Buffer {
  return Buffer.from(framer.source.subarray(framer.frameStart, framer.frameEnd));
}

function notInside(command: Command, why: string): Buffer {
  return encodeError(`ERR ${wordsOf(command)} is not allowed in a transaction through the proxy: ${why}`);
}

function ofAllNodes(command: Command): Buffer {
  return encodeError(`CROSSSLOT ${wordsOf(command)} concerns all nodes: send it outside of MULTI`);
}

function wordsOf(command: Command): string {
  return command.name.replace('|', ' ').toUpperCase();
}
