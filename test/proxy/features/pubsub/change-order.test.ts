import { expect, it } from 'vitest';
import { ChangeOrder } from '../../../../src/proxy/features/pubsub/change-order.js';
import { buildRingSync } from '../../../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS } from '../../../../src/ring/ring.js';
import { Rings } from '../../../../src/ring/rings.js';

const A = { name: 'a', address: '127.0.0.1:1', weight: 1 };
const B = { name: 'b', address: '127.0.0.1:2', weight: 1 };
const nodes = [A, B];
// Both rings are over the same two nodes; before the change, the first has everything but for a few keys.
const ring = buildRingSync([{ ...A, weight: 50 }, B], DEFAULT_RING_OPTIONS);
const nextRing = buildRingSync([A, { ...B, weight: 50 }], DEFAULT_RING_OPTIONS);
const stable = new Rings(ring, null);
const changing = new Rings(ring, nextRing);
const turned = new Rings(nextRing, ring);
const names = Array.from({ length: 200 }, (_, i) => Buffer.from(`channel:${i}`));
const owner = (name: Buffer, of = ring): number => of.ownerOf(name, 0, name.length);
const moved = names.find((name) => owner(name) === 0 && owner(name, nextRing) === 1) as Buffer;
const staying = names.find((name) => owner(name) === 1 && owner(name, nextRing) === 1) as Buffer;

/** One connection to a node, which was read as far as it had got when the test says so. */
function stage() {
  const asked: (() => void)[] = [];
  const heard: string[] = [];
  const order = new ChangeOrder(() => [{ caughtUp: () => new Promise<void>((resolve) => asked.push(resolve)) }]);
  const message = (node: object, channel: Buffer, text: string): void => {
    if (order.mustWait(node, channel, 0, channel.length)) order.keep(() => heard.push(text));
    else heard.push(text);
  };
  const caughtUp = async (): Promise<void> => {
    for (const resolve of asked.splice(0)) resolve();
    await new Promise(setImmediate);
  };
  return { order, heard, asked, message, caughtUp };
}

it('a message of the new owner waits for what the old owner has published, and for nothing else', async () => {
  const { order, heard, message, caughtUp } = stage();
  order.onPublish({ rings: stable, moves: null }, nodes);
  message(A, moved, '1');
  order.onPublish({ rings: changing, moves: null }, nodes);
  message(A, moved, '2');
  order.onPublish({ rings: changing, moves: {} }, nodes);
  message(B, moved, '4');
  message(B, moved, '5');
  message(B, staying, 'other');
  message(A, moved, '3');
  expect(heard).toEqual(['1', '2', 'other', '3']);
  await caughtUp();
  expect(heard).toEqual(['1', '2', 'other', '3', '4', '5']);
  message(B, moved, '6');
  expect(heard.at(-1)).toBe('6');
});

it('the first message of a new owner tells that keys move elsewhere already', async () => {
  const { order, heard, asked, message, caughtUp } = stage();
  order.onPublish({ rings: changing, moves: null }, nodes);
  expect(asked).toHaveLength(0);
  message(B, moved, '2');
  expect(asked).toHaveLength(1);
  message(A, moved, '1');
  await caughtUp();
  expect(heard).toEqual(['1', '2']);
});

it('what waits is delivered when the change ends, or is turned round', async () => {
  const ended = stage();
  ended.order.onPublish({ rings: changing, moves: {} }, nodes);
  ended.message(B, moved, '1');
  ended.order.onPublish({ rings: new Rings(nextRing, null), moves: null }, nodes);
  expect(ended.heard).toEqual(['1']);
  const back = stage();
  back.order.onPublish({ rings: changing, moves: {} }, nodes);
  back.message(B, moved, '1');
  back.order.onPublish({ rings: turned, moves: null }, nodes);
  await back.caughtUp();
  expect(back.heard).toEqual(['1']);
});
