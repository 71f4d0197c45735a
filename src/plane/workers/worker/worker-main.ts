/** The program of a worker process. */
import type { FromWorker, ToWorker } from '../messages.js';
import { Worker } from './worker.js';

// A terminal sends its signals to all processes: the primary says when to end.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Without its primary it must not serve: somebody else may be changing the ring.
process.on('disconnect', () => process.exit(0));

const worker = new Worker((message: FromWorker, onSent?: () => void) => {
  if (!process.connected) return;
  process.send?.(message, undefined, undefined, (error) => {
    if (error !== null) process.exit(1);
    onSent?.();
  });
});
process.on('message', (message: ToWorker, socket: unknown) => worker.onMessage(message, socket));
