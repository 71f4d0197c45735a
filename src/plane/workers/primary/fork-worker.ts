import { fork, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from '../messages.js';
import { BOARD_FD } from '../subscription-board.js';
import type { OpenChannel } from './channel.js';

const PROGRAM = fileURLToPath(new URL('../worker/worker-main.js', import.meta.url));

/** Starts a worker by Node.js' own channel between processes. */
export const forkWorker: OpenChannel = (board, { onMessage, onExit }) => {
  const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc'];
  if (board !== null) stdio[BOARD_FD] = board;
  const child = fork(PROGRAM, [], { serialization: 'advanced', stdio });
  child.on('message', (message: FromWorker) => onMessage(message));
  child.on('error', () => {});
  child.once('exit', (code, signal) => onExit(signal ?? `exit code ${code}`));
  return {
    get pid() {
      return child.pid ?? -1;
    },
    send(message, onSent = () => {}) {
      // A worker that has just died is replaced when its exit is noticed.
      if (child.connected) child.send(message, onSent);
    },
    give(client, socket) {
      const message: ToWorker = { type: 'client', ...client };
      child.send(message, socket, { keepOpen: true }, (error) => {
        if (error !== null) socket.destroy();
      });
    },
    kill(signal) {
      child.kill(signal);
    },
  };
};
