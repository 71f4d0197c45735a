/**
 * The least that forwards: frames requests, finds each key's owner, passes replies back in order, on the product's own
 * socket files and its own ring. What the product takes beyond it in processor time is what all else costs.
 *
 *   client.ts      request-frame.ts → forward (below) → node-link.ts
 *   node-link.ts   reply-frame.ts → pending.ts, split.ts → client.ts
 *
 * It has no timeouts, no back-pressure, no reconnection, no commands of its own and no state of a client: a command
 * goes to the owner of its second word, MGET and MSET to the owners of all their keys.
 */
import type { Address } from '../../../src/node/address.js';
import { Chunks } from '../../../src/proxy/io/chunk.js';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';
import { FEW_BYTES, PLENTY_BYTES } from '../../../src/proxy/io/outlet.js';
import { Turn } from '../../../src/proxy/io/turn.js';
import { Listener } from '../../../src/proxy/session/listener.js';
import { buildRingSync } from '../../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS } from '../../../src/ring/ring.js';
import { FloorClient, type Forward } from './client.js';
import { NodeLink } from './node-link.js';
import { split, wordsAKey } from './split.js';

/** As the product's: see `data-plane.ts`. */
const FIRST_CHUNK_BYTES = 1024;
const CLIENT_CHUNK_BYTES = 16_384;
const NODE_CHUNK_BYTES = 65_536;
const LARGE_CHUNK_BYTES = 262_144;

/**
 * Listens on a port of its own choice.
 * @param onEnd a node is gone, and with it the replies that it owed
 * @returns `HOST:PORT`, and what stops listening
 */
export async function startForwarder(
  addresses: readonly Address[],
  onEnd: (error: Error) => void,
): Promise<{ listen: string; stop: () => void }> {
  const turn = new Turn();
  const large = new ChunkPool(LARGE_CHUNK_BYTES, 64);
  const clientPools = {
    few: 0,
    plenty: PLENTY_BYTES,
    first: new Chunks(FIRST_CHUNK_BYTES, 8192),
    usual: new Chunks(CLIENT_CHUNK_BYTES, 512),
    large,
  };
  const nodeChunks = new Chunks(NODE_CHUNK_BYTES, 64);
  const nodePools = { few: FEW_BYTES, plenty: PLENTY_BYTES, first: nodeChunks, usual: nodeChunks, large };
  const clientReceive = Buffer.allocUnsafeSlow(LARGE_CHUNK_BYTES);
  const nodeReceive = Buffer.allocUnsafeSlow(LARGE_CHUNK_BYTES);
  const nodes = addresses.map((address) => new NodeLink(address, nodeReceive, turn, nodePools, onEnd));
  const specs = addresses.map((_, i) => ({ name: `node${i + 1}`, address: '', weight: 1 }));
  const ring = buildRingSync(specs, DEFAULT_RING_OPTIONS);

  const forward: Forward = (slot, chunk, start, end, frame) => {
    const perKey = wordsAKey(chunk, frame);
    if (perKey > 0) {
      split(slot, chunk, frame, perKey, ring, nodes);
      return;
    }
    const { words, starts, ends } = frame;
    const owner = words < 2 ? 0 : ring.ownerOf(chunk, starts[1] as number, ends[1] as number);
    nodes[owner]?.send(slot, chunk, start, end);
  };
  const listener = new Listener((socket) => new FloorClient(socket, clientReceive, turn, clientPools, forward));
  const listen = await listener.listen({ host: '127.0.0.1', port: 0 });
  return {
    listen,
    stop: () => {
      listener.stop();
      for (const node of nodes) node.close();
    },
  };
}
