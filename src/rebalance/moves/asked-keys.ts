/**
 * Keys that were asked for at another process, which moves them: each once, however many clients wait for it, and all of
 * a turn of the event loop together. They are told apart by tokens, so that answers may come in any order, late, or twice.
 */
import { type MoveWaiter, resumeAll } from '../../proxy/key-moves.js';
import { keyName } from '../key-name.js';

export interface KeyOfSource {
  readonly source: number;
  readonly database: number;
  readonly key: Uint8Array;
}

export interface KeyToSettle extends KeyOfSource {
  /** Tells the keys apart that one process asks for. */
  readonly token: number;
  readonly target: number;
}

interface Asked {
  readonly source: number;
  readonly database: number;
  readonly key: Buffer;
  readonly clients: Set<MoveWaiter>;
}

export class AskedKeys {
  readonly #send: (keys: KeyToSettle[]) => void;
  readonly #asked = new Map<number, Asked>();
  readonly #tokens = new Map<string, number>();
  #nextToken = 1;
  /** Asked for in this turn. */
  #batch: KeyToSettle[] = [];
  #closed = false;

  constructor(send: (keys: KeyToSettle[]) => void) {
    this.#send = send;
  }

  settle(source: number, target: number, database: number, key: Buffer, client: MoveWaiter): void {
    if (this.#closed) {
      client.resumeSoon();
      return;
    }
    const name = keyName(source, database, key);
    const known = this.#tokens.get(name);
    if (known !== undefined) {
      this.#asked.get(known)?.clients.add(client);
      return;
    }
    const token = this.#nextToken++;
    this.#tokens.set(name, token);
    this.#asked.set(token, { source, database, key, clients: new Set([client]) });
    this.#batch.push({ token, source, target, database, key });
    if (this.#batch.length > 1) return;
    setImmediate(() => {
      const batch = this.#batch;
      this.#batch = [];
      this.#send(batch);
    });
  }

  /** Whether somebody waits for it. */
  has(token: number): boolean {
    return this.#asked.has(token);
  }

  /**
   * The key has moved, or could not: who waits for it asks again.
   * @param onAnswer told of the key before
   */
  answer(token: number, onAnswer: (key: KeyOfSource) => void): void {
    const asked = this.#asked.get(token);
    if (asked === undefined) return;
    this.#asked.delete(token);
    this.#tokens.delete(keyName(asked.source, asked.database, asked.key));
    onAnswer(asked);
    resumeAll(asked.clients);
  }

  /** Nobody answers any more: who waits, or asks yet, asks anew, elsewhere. */
  close(): void {
    this.#closed = true;
    for (const { clients } of this.#asked.values()) resumeAll(clients);
    this.#asked.clear();
    this.#tokens.clear();
  }
}
