import type { Socket } from 'node:net';
import type { FromWorker, ToWorker } from '../../src/plane/workers/messages.js';
import type { ChannelEvents, OpenChannel, WorkerChannel } from '../../src/plane/workers/primary/channel.js';

type Of<Type extends ToWorker['type']> = Extract<ToWorker, { readonly type: Type }>;

/** A worker that is none: it keeps what the primary sends, and says and does what the test lets it. */
export class FakeWorker implements WorkerChannel {
  readonly pid: number;
  /** What it was sent, in order. */
  readonly received: ToWorker[] = [];
  /** Clients that it was given, with their numbers. */
  readonly clients: { readonly client: number; readonly socket: Socket }[] = [];
  readonly signals: NodeJS.Signals[] = [];
  /** Messages whose way is not through yet: called when they are. */
  readonly underway: (() => void)[] = [];
  ended = false;
  readonly #events: ChannelEvents;

  constructor(pid: number, events: ChannelEvents) {
    this.pid = pid;
    this.#events = events;
  }

  send(message: ToWorker, onSent: () => void = () => {}): void {
    if (this.ended) throw new Error(`a message of type ${message.type} was sent to a worker that has ended`);
    this.received.push(message);
    this.underway.push(onSent);
  }

  give({ id }: { readonly id: number }, socket: Socket): void {
    this.clients.push({ client: id, socket });
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    this.exit(signal);
  }

  /** It tells the primary something. */
  say(message: FromWorker): void {
    this.#events.onMessage(message);
  }

  /** It dies. */
  exit(how = 'SIGKILL'): void {
    if (this.ended) return;
    this.ended = true;
    this.#events.onExit(how);
  }

  /** Messages of this type that it was sent, in order. */
  got<Type extends ToWorker['type']>(type: Type): Of<Type>[] {
    return this.received.filter((message): message is Of<Type> => message.type === type);
  }

  /** The last one of this type. @throws when there is none */
  last<Type extends ToWorker['type']>(type: Type): Of<Type> {
    const message = this.got(type).at(-1);
    if (message === undefined) throw new Error(`no message of type ${type} has come`);
    return message;
  }
}

/** The workers that a pool has started, in order. */
export class FakeWorkers {
  readonly all: FakeWorker[] = [];

  readonly open: OpenChannel = (_board, events) => {
    const worker = new FakeWorker(1000 + this.all.length, events);
    this.all.push(worker);
    return worker;
  };

  /** @param index from 0 on, in the order in which they were started @throws when it was not */
  at(index: number): FakeWorker {
    const worker = this.all[index];
    if (worker === undefined) throw new Error(`worker ${index} was not started`);
    return worker;
  }
}
