import { expect, it } from 'vitest';
import { SharedTopics } from '../../../../src/plane/workers/primary/shared-topics.js';
import type { ProxyTopic } from '../../../../src/proxy/peers/fleet.js';

it('adds the workers up, and takes back what one had that has ended', () => {
  const told: ProxyTopic[] = [];
  const topics = new SharedTopics((changed) => told.push(...changed));
  const [first, second] = [{}, {}];
  const say = (worker: object, clients: number): void =>
    topics.onTopics(worker, { type: 'topics', topics: [{ kind: 0, key: 'news', clients }] });
  say(first, 3);
  say(second, 2);
  say(first, 5);
  topics.onExit(first);
  topics.onExit(first);
  say(second, 1);
  expect(told.map(({ clients, connections }) => [clients, connections])).toEqual([
    [3, 1],
    [5, 2],
    [7, 2],
    [2, 1],
    [0, 0],
  ]);
});
