/**
 * Which functions of the nodes have the flag no-writes: FCALL of these goes on while writes are paused. The nodes are
 * asked once for each pause, when a function is called; as FUNCTION LOAD writes, nothing changes until its end.
 */
import { decodeReply, type ReplyValue } from '../../../resp/decode.js';
import { request as encodeRequest } from '../../../resp/encode.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

const LIST = Buffer.from(encodeRequest(['FUNCTION', 'LIST']));
/** In RESP2 the reply is read. */
const KIND = { protocol: 2, database: 0 } as const;

export class ReadOnlyFunctions {
  /** Null: the nodes have not been asked. */
  #names: ReadonlySet<string> | null = null;
  #asked = false;

  /** A pause has ended. */
  forget(): void {
    this.#names = null;
    this.#asked = false;
  }

  has(name: string): boolean {
    return this.#names?.has(name) === true;
  }

  /** Asks the node, if nobody has yet. @param onAnswer called when there is something new to know */
  ask(node: UpstreamNode, onAnswer: () => void): void {
    if (this.#asked) return;
    const lane = node.pick(KIND);
    if (lane === null) return;
    this.#asked = true;
    const listed = new Listed(node.shared.requests, (names) => {
      this.#asked = names !== null;
      this.#names = names;
      if (names !== null) onAnswer();
    });
    lane.ask(LIST, listed);
  }
}

class Listed implements ReplySink {
  readonly #requests: RequestPool;
  readonly #tell: (names: ReadonlySet<string> | null) => void;

  /** @param tell is given null when the node has not said */
  constructor(requests: RequestPool, tell: (names: ReadonlySet<string> | null) => void) {
    this.#requests = requests;
    this.#tell = tell;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#requests.give(request);
    this.#tell(readOnlyIn(decodeReply(buffer.subarray(start, end))?.value ?? null));
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
    this.#tell(null);
  }
}

/** @param libraries the reply to FUNCTION LIST */
function readOnlyIn(libraries: ReplyValue): ReadonlySet<string> {
  const names = new Set<string>();
  for (const library of listOf(libraries)) {
    for (const declared of listOf(fieldOf(library, 'functions'))) {
      const flags = listOf(fieldOf(declared, 'flags')).map(textOf);
      if (flags.includes('no-writes')) names.add(textOf(fieldOf(declared, 'name')));
    }
  }
  return names;
}

function listOf(value: ReplyValue): readonly ReplyValue[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: ReplyValue): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

/** The field of a map that came as an array. */
function fieldOf(map: ReplyValue, name: string): ReplyValue {
  const flat = listOf(map);
  for (let i = 0; i + 1 < flat.length; i += 2) if (textOf(flat[i] ?? null) === name) return flat[i + 1] ?? null;
  return null;
}
