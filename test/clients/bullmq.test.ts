import { type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { expect } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { worksThroughTheProxy } from './stage.js';

// A queue's keys must be on one node: that is what the hash tag in the prefix is for.
worksThroughTheProxy('bullmq', async (proxy) => {
  const connection = { port: proxy.port, host: '127.0.0.1' };
  return async (exercise) => {
    const name = exercise.replace(':', '-');
    const options = { connection, prefix: `{${name}}` };
    const queue = new Queue<{ number: number }>(name, options);
    const events = new QueueEvents(name, options);
    const attempts = new Map<string, number>();
    const handle = async (job: Job<{ number: number }>): Promise<number> => {
      const id = `${job.name}:${job.data.number}`;
      attempts.set(id, (attempts.get(id) ?? 0) + 1);
      if (job.name === 'fails once' && job.attemptsMade === 0) throw new Error('this time');
      return job.data.number * 2;
    };
    const workers = [1, 2].map(() => new Worker(name, handle, { ...options, concurrency: 4 }));
    const close = async (): Promise<void> => {
      await Promise.all([...workers.map((worker) => worker.close(true)), events.close(), queue.close()]);
    };
    queue.on('error', () => {});
    // Each job that is waited for listens to the queue.
    queue.setMaxListeners(100);
    events.setMaxListeners(100);
    events.on('error', () => {});
    for (const worker of workers) worker.on('error', () => {});
    let closed = false;
    atEnd(async () => {
      if (!closed) await close().catch(() => {});
    });
    await events.waitUntilReady();
    const jobs = [
      ...(await queue.addBulk(Array.from({ length: 20 }, (_, number) => ({ name: 'plain', data: { number } })))),
      await queue.add('delayed', { number: 100 }, { delay: 100 }),
      await queue.add('fails once', { number: 200 }, { attempts: 3, backoff: 50 }),
    ];
    const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 20_000)));
    expect(results).toEqual([...Array.from({ length: 20 }, (_, number) => number * 2), 200, 400]);
    expect(Object.fromEntries(attempts)).toEqual({
      ...Object.fromEntries(Array.from({ length: 20 }, (_, number) => [`plain:${number}`, 1])),
      'delayed:100': 1,
      'fails once:200': 2,
    });
    await queue.upsertJobScheduler('repeated', { every: 50 }, { name: 'tick', data: { number: 1 } });
    await expect.poll(() => attempts.get('tick:1') ?? 0, { timeout: 10_000 }).toBeGreaterThan(2);
    await queue.removeJobScheduler('repeated');
    await close();
    closed = true;
  };
});
