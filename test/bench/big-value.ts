import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { peakMemory, resetPeakMemory, residentMemory } from './process-usage.js';
import { megabytes, type Row, verdict } from './report.js';
import type { Target } from './targets.js';

const VALUE = 100 << 20;
const LIMIT = 32 << 20;
const READS = 3;
const WARM_UP = 2_000;

/** How far a value of 100 MB that is written and read in one pipeline raises the proxy's memory. */
export async function measureBigValue(target: Target, isSubject: boolean): Promise<Row> {
  const socket = net.connect(target.port, '127.0.0.1');
  await once(socket, 'connect');
  try {
    // What the proxy keeps for any traffic is not what the value costs.
    const warm = `*3\r\n$3\r\nSET\r\n$4\r\nwarm\r\n$1024\r\n${'x'.repeat(1024)}\r\n*2\r\n$3\r\nGET\r\n$4\r\nwarm\r\n`;
    await exchange(socket, [Buffer.from(warm.repeat(WARM_UP))], WARM_UP * ('+OK\r\n'.length + bulkLength(1024)));
    const before = residentMemory(target.pid);
    resetPeakMemory(target.pid);
    const read = '*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n';
    await exchange(
      socket,
      [
        Buffer.from(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${VALUE}\r\n`),
        Buffer.alloc(VALUE, 'x'),
        Buffer.from(`\r\n${read.repeat(READS)}`),
      ],
      '+OK\r\n'.length + READS * bulkLength(VALUE),
    );
    const growth = peakMemory(target.pid) - before;
    const passed = isSubject ? growth <= LIMIT : null;
    return {
      passed,
      cells: [
        `${megabytes(VALUE)} value, 1 SET and ${READS} GET pipelined`,
        target.name,
        megabytes(before),
        `+${megabytes(growth)}`,
        isSubject ? `≤ +${megabytes(LIMIT)}` : '',
        verdict(passed),
      ],
    };
  } finally {
    socket.destroy();
  }
}

/** Writes the parts, and reads (and drops) this many bytes. @throws Error when the connection ends before */
function exchange(socket: Socket, parts: readonly Buffer[], expected: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const failed = () => reject(new Error(`the connection ended after ${received} of ${expected} bytes`));
    const onData = (chunk: Buffer) => {
      received += chunk.length;
      if (received < expected) return;
      socket.off('data', onData).off('close', failed).off('error', failed);
      if (received === expected) resolve();
      else reject(new Error(`${received} bytes where ${expected} were expected`));
    };
    socket.on('data', onData).once('close', failed).once('error', failed);
    for (const part of parts) socket.write(part);
  });
}

/** Bytes of a bulk reply. */
function bulkLength(payload: number): number {
  return `$${payload}\r\n`.length + payload + 2;
}
