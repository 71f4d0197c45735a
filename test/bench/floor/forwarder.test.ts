/** A floor that is low because it loses or mixes up replies would be none. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseNodeAddress } from '../../../src/node/address.js';
import { request } from '../../../src/resp/encode.js';
import { Random } from '../../fuzz/random.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { startForwarder } from './forwarder.js';

const CLIENTS = 8;
const COMMANDS = 300;
const KEYS = 40;
/** Several chunks. */
const LARGE = 300_000;

let direct: RedisProcess;
let port: number;
let stop: () => void;

beforeAll(async () => {
  const [first, ...behind] = await startRedises(4);
  if (first === undefined) throw new Error('no server');
  direct = first;
  const addresses = behind.map(({ address }) => parseNodeAddress(address) ?? { path: '' });
  const forwarder = await startForwarder(addresses, fail);
  port = Number(forwarder.listen.split(':')[1]);
  stop = forwarder.stop;
});

afterAll(() => stop());

function fail(error: Error): never {
  throw error;
}

type Command = (string | Uint8Array)[];

/** @param client has keys of its own, so that its replies do not depend on what the others do */
function randomCommand(random: Random, client: number): Command {
  const key = (): string => `client${client}:${random.below(KEYS)}`;
  const value = (): Buffer => random.bytes(random.below(random.chance(2) ? LARGE : 120));
  const several = <Item>(item: () => Item): Item[] => Array.from({ length: 1 + random.below(12) }, item);
  return random.pick<() => Command>([
    () => ['GET', key()],
    () => ['SET', key(), value()],
    () => ['get', key()],
    () => ['MGET', ...several(key)],
    () => ['MSET', ...several(() => [key(), value()]).flat()],
    () => ['MSET', key(), value(), key()],
    () => ['MGET'],
    () => ['APPEND', key(), value()],
    () => ['STRLEN', key()],
    () => ['INCR', key()],
    () => ['LRANGE', `${key()}:list`, '0', '-1'],
    () => ['RPUSH', `${key()}:list`, value(), '', 'x'],
  ])();
}

/** Pieces of some bytes, and of several chunks. */
function cut(random: Random, stream: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = 1 + random.below(random.pick([30, 3000, LARGE]));
    pieces.push(stream.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

async function converse(target: number, stream: readonly Buffer[], replies: number): Promise<string[]> {
  const client = await RawClient.connect(target);
  const all = client.replies(replies);
  for (const piece of stream) {
    client.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return (await all).map((reply) => reply.toString('latin1'));
}

it(`answers ${CLIENTS} clients' ${COMMANDS} random commands each as a node alone does`, async () => {
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const random = new Random(20_260_101 + client);
      const commands = Array.from({ length: COMMANDS }, () => randomCommand(random, client));
      const stream = cut(random, Buffer.concat(commands.map((command) => request(command))));
      const [found, wanted] = await Promise.all([port, direct.port].map((of) => converse(of, stream, COMMANDS)));
      for (let i = 0; i < COMMANDS; i++) expect(found?.[i], String(commands[i]?.slice(0, 2))).toBe(wanted?.[i]);
    }),
  );
});

it('reads requests and replies that are cut behind every byte', async () => {
  const list = Buffer.from('*3\r\n$5\r\nvalue\r\n*2\r\n:1\r\n$0\r\n\r\n$-1\r\n');
  const node = createServer(async (socket) => {
    // As much is answered as was asked: one list for each `x`.
    for await (const chunk of socket) {
      for (const _ of String(chunk).matchAll(/x/g)) {
        for (const byte of list) {
          socket.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
  }).listen(0, '127.0.0.1');
  await once(node, 'listening');
  const { port } = node.address() as AddressInfo;
  const forwarder = await startForwarder([{ host: '127.0.0.1', port }], fail);
  const bytes = Buffer.concat([request(['LRANGE', 'x', '', '1']), request(['GET', 'x'])]);
  const pieces = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  const found = await converse(Number(forwarder.listen.split(':')[1]), pieces, 2);
  expect(found).toEqual([list.toString(), list.toString()]);
  forwarder.stop();
  node.close();
});
