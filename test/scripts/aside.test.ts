/** What `npm test` runs beside the tests. */
import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { runAside } from './aside.mjs';

describe('what runs aside', () => {
  it('has the lowest priority, and so has what it starts', async () => {
    const own = "console.log(require('node:os').getPriority());";
    const child = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(own)}], { stdio: 'inherit' });`;
    const { status, output } = await runAside(process.execPath, ['-e', `${own} ${child}`]);
    const lowest = os.constants.priority.PRIORITY_LOW;
    expect(output).toBe(`${lowest}\n${lowest}\n`);
    expect(status).toBe(0);
  });

  it('says what it has written, and that it has failed', async () => {
    const script = "console.log('a type is wrong'); console.error('and another'); process.exitCode = 2;";
    const { status, output } = await runAside(process.execPath, ['-e', script]);
    expect(status).toBe(2);
    expect(output.split('\n').sort()).toEqual(['', 'a type is wrong', 'and another']);
  });

  it('has failed where a signal ends it, or where it is not there', async () => {
    const killed = await runAside(process.execPath, ['-e', "process.kill(process.pid, 'SIGKILL')"]);
    expect(killed.status).toBe(1);
    const missing = await runAside('/nowhere/tsc', []);
    expect(missing.status).not.toBe(0);
    expect(missing.output).toContain('/nowhere/tsc');
  });
});
