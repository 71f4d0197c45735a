/**
 * Two processes of one machine that tell each other what has changed, over a channel that loses nothing and keeps the
 * order. One batch is on its way at a time: while the other side has much to do, changes of a key become one.
 */
import { readBatch } from './batch.js';
import { Outbox } from './outbox.js';
import { type Restamping, restampedRecord } from './restamping.js';
import type { ValueStore } from './store.js';

/** A batch as it is sent. */
export interface SentBatch {
  /** Told back when it was taken; 0: that need not be told. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface LinkPorts {
  readonly store: ValueStore;
  send(batch: SentBatch): void;
  /** Tells the other side that it was taken. */
  taken(number: number): void;
  /** Tells the other side that stamps are made anew: what comes behind has the new ones. */
  restamp(how: Restamping): void;
  /** Calls it a little later: changes are gathered for so long. @returns a function that takes it back */
  later(run: () => void): () => void;
}

/** Bytes of a batch, nearly. */
const BATCH_BYTES = 262_144;

export class Link {
  readonly #ports: LinkPorts;
  readonly #outbox: Outbox;
  readonly #end: readonly (() => void)[];
  #isOnItsWay = false;
  #number = 0;
  /** The other side knows all up to this change, when it has taken what is on its way. */
  #sentUpTo = 0;
  #takenUpTo = 0;
  #stopWaiting = (): void => {};
  /** By this stamps were made anew here, and the other side has not said yet that it has done so. */
  #awaited: Restamping | null = null;
  #isTold = false;

  constructor(ports: LinkPorts) {
    const { store } = ports;
    this.#ports = ports;
    this.#outbox = new Outbox(
      (from) => from !== this,
      () => this.#sendLater(),
    );
    this.#end = [
      store.listen(this.#outbox),
      store.listen({ onChange: () => {}, onRestamping: (how) => this.#onRestamping(how) }),
      store.keep((change) => this.#knows(change)),
    ];
  }

  /** The other side has sent this. */
  onBatch({ number, bytes }: SentBatch): void {
    const records = readBatch(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const how = this.#awaited;
    const taken = how === null ? records : records?.map((record) => restampedRecord(record, how));
    if (taken) this.#ports.store.takeOwn(taken, this);
    if (number !== 0) this.#ports.taken(number);
  }

  /** The other side makes its stamps anew, or has done so when it was told to. */
  onRestamp(how: Restamping): void {
    if (this.#awaited !== null) {
      if (this.#awaited.bound === how.bound) this.#awaited = null;
      return;
    }
    this.#isTold = true;
    this.#ports.store.restamp(how);
    this.#isTold = false;
  }

  /** The other side has taken the batch with this number. */
  onTaken(number: number): void {
    if (number !== this.#number) return;
    this.#isOnItsWay = false;
    this.#takenUpTo = this.#sentUpTo;
    if (!this.#outbox.isEmpty) this.#sendLater();
  }

  /** Sends what waits at once, since the other side is about to hear nothing more. */
  flush(): void {
    for (let bytes = this.#outbox.take(BATCH_BYTES); bytes !== null; bytes = this.#outbox.take(BATCH_BYTES)) {
      this.#ports.send({ number: ++this.#number, bytes });
    }
  }

  close(): void {
    this.#stopWaiting();
    for (const end of this.#end) end();
  }

  /** Whether the other side has heard of this change. */
  #knows(change: number): boolean {
    return change <= this.#takenUpTo || (this.#outbox.isEmpty && !this.#isOnItsWay);
  }

  /** What waits goes with the stamps that it has, in front of the word that others are made. */
  #onRestamping(how: Restamping): void {
    this.flush();
    this.#ports.restamp(how);
    if (!this.#isTold) this.#awaited = how;
  }

  #sendLater(): void {
    if (this.#isOnItsWay) return;
    this.#stopWaiting();
    this.#stopWaiting = this.#ports.later(() => this.#send());
  }

  #send(): void {
    if (this.#isOnItsWay) return;
    const bytes = this.#outbox.take(BATCH_BYTES);
    if (bytes === null) return;
    this.#isOnItsWay = true;
    if (this.#outbox.isEmpty) this.#sentUpTo = this.#ports.store.changes;
    this.#ports.send({ number: ++this.#number, bytes });
  }
}
