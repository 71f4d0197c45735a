// BullMQ: a queue's scripts need its keys on one node, which a pattern of the ring sees to.
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { PORT, range, step } from './steps.mjs';

const options = { connection: { host: '127.0.0.1', port: PORT } };
const errors = new Set();
const listen = (one, name) => one.on('error', (error) => errors.add(`${name}: ${error.message}`));
const queue = new Queue('paint', options);
listen(queue, 'queue');
// Each job that is waited for listens to it.
queue.setMaxListeners(100);
await step('add', async () => (await queue.add('first', { n: 1 })).name);
await work();
await step('errors', () => errors);
await queue.close();

async function work() {
  const events = new QueueEvents('paint', options);
  listen(events, 'events');
  await events.waitUntilReady();
  const order = [];
  const worker = new Worker(
    'paint',
    async (job) => {
      order.push(`${job.name}:${job.data.n}`);
      if (job.name === 'fails') throw new Error('as expected');
      return job.data.n * 2;
    },
    { ...options, autorun: false },
  );
  listen(worker, 'worker');
  const low = await queue.add('low', { n: 2 }, { priority: 10 });
  const high = await queue.add('high', { n: 3 }, { priority: 1 });
  const jobs = await queue.addBulk(range(10).map((n) => ({ name: 'bulk', data: { n: n + 10 } })));
  const failing = await queue.add('fails', { n: 4 }, { attempts: 2, backoff: 10 });
  const delayed = await queue.add('delayed', { n: 5 }, { delay: 30 });
  await step('counts', () => queue.getJobCounts('waiting', 'active', 'prioritized'));
  worker.run();
  await step('results', () =>
    Promise.all([...jobs, delayed, low, high].map((job) => job.waitUntilFinished(events, 30_000))),
  );
  await step('a failure (fails)', () => failing.waitUntilFinished(events, 30_000));
  await step('by priority', () => [
    order.indexOf('high:3') < order.indexOf('low:2'),
    order.filter((each) => each === 'fails:4').length,
  ]);
  const flow = new FlowProducer(options);
  listen(flow, 'flow');
  await step('a flow', async () => {
    const { job } = await flow.add({
      name: 'parent',
      queueName: 'paint',
      data: { n: 50 },
      children: range(3).map((n) => ({ name: 'child', queueName: 'paint', data: { n } })),
    });
    return [await job.waitUntilFinished(events, 30_000), Object.values(await job.getChildrenValues()).sort()];
  });
  await step('paused', async () => [
    await queue.pause(),
    await queue.isPaused(),
    await queue.resume(),
    await queue.isPaused(),
  ]);
  await step('obliterated', async () => {
    await worker.close();
    await queue.obliterate({ force: true });
    return queue.getJobCounts();
  });
  await Promise.all([events.close(), flow.close()]);
}
