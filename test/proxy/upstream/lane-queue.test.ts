import { describe, expect, it } from 'vitest';
import type { ReplySink } from '../../../src/proxy/request/reply-sink.js';
import { Request } from '../../../src/proxy/request/request.js';
import { LaneQueue } from '../../../src/proxy/upstream/lane-queue.js';

const nobody: ReplySink = { onReply: () => {}, onFailure: () => {} };

function queueOf(count: number): { queue: LaneQueue; requests: Request[] } {
  const queue = new LaneQueue();
  const requests = Array.from({ length: count }, () => new Request(nobody));
  for (const request of requests) queue.push(request);
  return { queue, requests };
}

function answerHead(queue: LaneQueue): void {
  if (queue.head !== null) queue.shift(queue.head);
}

/** Whether the promise has settled by now. */
async function hasSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  return settled;
}

describe('the requests of a lane', () => {
  it('are answered in the order in which they were sent', () => {
    const { queue, requests } = queueOf(3);
    for (const request of requests) {
      expect(queue.head).toBe(request);
      answerHead(queue);
    }
    expect([queue.head, queue.length, queue.answered]).toEqual([null, 0, 3]);
  });

  it('stand in front again when they are for further replies', () => {
    const { queue, requests } = queueOf(1);
    const [only] = requests as [Request];
    answerHead(queue);
    queue.unshift(only);
    const next = new Request(nobody);
    queue.push(next);
    expect([queue.head, only.nextOfLane, queue.length, queue.answered]).toEqual([only, next, 2, 0]);
  });

  it('are waited for up to the last one that matters', async () => {
    const { queue, requests } = queueOf(3);
    const fence = queue.answeredSoFar((request) => request === requests[1]);
    answerHead(queue);
    expect(await hasSettled(fence)).toBe(false);
    answerHead(queue);
    expect(await hasSettled(fence)).toBe(true);
  });

  it('are not waited for when none matters, or when nothing is answered any more', async () => {
    const { queue } = queueOf(2);
    expect(await hasSettled(queue.answeredSoFar(() => false))).toBe(true);
    const fence = queue.answeredSoFar(() => true);
    expect(queue.takeAll()).not.toBeNull();
    expect(queue.length).toBe(0);
    queue.giveUpFences();
    expect(await hasSettled(fence)).toBe(true);
  });
});
