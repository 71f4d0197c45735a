// node-resque: a worker of several queues, the scheduler, locks, retries, its API. A script of the worker takes a job and
// writes down who does it, which are two keys: they are on one node by a pattern of the ring.
import resque from 'node-resque';
import { PORT, range, step, until } from './steps.mjs';

const { Plugins, Queue, Scheduler, Worker } = resque;

const connection = { pkg: 'ioredis', host: '127.0.0.1', port: PORT };
const queues = ['critical', 'default', 'low', 'mail'];
const done = [];
const errors = [];
const failedOnce = new Set();
const jobs = {
  add: { perform: async (a, b) => a + b },
  fails: {
    perform: async () => {
      throw new Error('as expected');
    },
  },
  locked: { plugins: [Plugins.QueueLock, Plugins.JobLock], perform: async (name) => name },
  retried: {
    plugins: [Plugins.Retry],
    pluginOptions: { Retry: { retryLimit: 3, retryDelay: 10 } },
    perform: async (name) => {
      if (failedOnce.has(name)) return name;
      failedOnce.add(name);
      throw new Error('this time');
    },
  },
};

const queue = new Queue({ connection }, jobs);
queue.on('error', (error) => errors.push(`queue: ${error}`));
await queue.connect();
await step('enqueued', () => Promise.all(range(12).map((i) => queue.enqueue(queues[i % 4], 'add', [i, 1]))));
await step('locked', async () => [
  await queue.enqueue('low', 'locked', ['a']),
  await queue.enqueue('low', 'locked', ['a']),
  await queue.enqueue('low', 'locked', ['b']),
]);
await step('later', async () => {
  for (const i of range(6)) await queue.enqueueAt(Date.now() + 3_600_000 + i * 1000, 'default', 'add', ['later', i]);
  await queue.enqueueIn(3_600_000, 'mail', 'add', ['later', 'mail']);
});
await step('queues', async () => new Set(await queue.queues()));
await step('lengths', () => Promise.all(queues.map((name) => queue.length(name))));
await step('queued', async () => (await queue.queued('default', 0, -1)).map(({ args }) => args));
await step(
  'delayed',
  async () =>
    new Set(
      Object.values(await queue.allDelayed())
        .flat()
        .map(({ args }) => args.join(' ')),
    ),
);
await step('deleted', async () => [
  await queue.del('mail', 'add', [3, 1]),
  (await queue.delDelayed('mail', 'add', ['later', 'mail'])).length,
]);
await step('locks', async () => new Set(Object.keys(await queue.locks())));

// Looks again after 20 ms and not after 5 s.
const worker = new Worker({ connection, queues, name: 'worker', timeout: 20 }, jobs);
worker.on('success', (name, job, result) => done.push([name, job.class, result]));
worker.on('failure', (name, job, failure) => done.push([name, job.class, failure.message]));
worker.on('error', (error, name) => errors.push(`worker: ${name}: ${error}`));
await worker.connect();
await worker.start();
const scheduler = new Scheduler({ connection, timeout: 50, name: 'scheduler' }, jobs);
scheduler.on('error', (error) => errors.push(`scheduler: ${error}`));
await scheduler.connect();
await scheduler.start();
await step('worked off', async () => (await until(() => done.length === 13 || errors.length > 0)) && done.splice(0));
if (errors.length === 0) await work();
await step('ended', async () => {
  await scheduler.end();
  await worker.end();
  return [await queue.workers(), done.length];
});
await step('stats', () => queue.stats());
await step('leftovers', async () => [
  await queue.length('low'),
  await queue.delQueue('low'),
  new Set(await queue.queues()),
]);
await step('errors', () => new Set(errors));
await queue.end();

async function work() {
  await step('workers', async () => Object.values(await queue.workers()));
  await step('leads', () => until(() => scheduler.leader === true));
  await step('due', async () => {
    await queue.enqueueIn(10, 'low', 'add', ['soon', 1]);
    await until(() => done.length === 1);
    return done.splice(0);
  });
  await step('fails', async () => {
    await queue.enqueue('critical', 'fails');
    await until(() => done.length === 1);
    return [
      done.splice(0),
      await until(() => queue.failedCount()),
      (await queue.failed(0, -1)).map(({ error, queue: of }) => [error, of]),
    ];
  });
  await step('retried', async () => {
    for (const name of ['r1', 'r2', 'r3']) await queue.enqueue('low', 'retried', [name]);
    await until(() => done.length === 6);
    return new Set(done.splice(0).map((each) => JSON.stringify(each)));
  });
  await step('retried by hand', async () => {
    const [failed] = await queue.failed(0, 0);
    await queue.retryAndRemoveFailed(failed);
    await until(() => done.length === 1);
    return [done.splice(0), await until(() => queue.failedCount())];
  });
}
