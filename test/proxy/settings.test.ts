/** A row in the table of the data plane's settings is all that a setting needs, from the file to the workers. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { WorkerOptions } from '../../src/plane/workers/messages.js';
import type { DataPlaneOptions } from '../../src/proxy/options.js';
import { DATA_PLANE_SETTINGS, type DataPlaneSettings, pickDataPlaneSettings } from '../../src/proxy/settings.js';
import { FakeStanding } from '../support/fake-standing.js';
import { FakeWorkers } from '../support/fake-workers.js';
import { tempFolder } from '../support/temp-folder.js';

// Before the tables are made that are made of this one.
Object.assign(DATA_PLANE_SETTINGS, {
  novelty: { path: 'novelty', type: 'duration', least: '1s', most: '1h', default: '2s', help: 'a test', flag: 'TIME' },
});
const { loadConfig } = await import('../../src/config/load.js');
const { configReference } = await import('../../src/config/reference.js');
const { registerServeCommand } = await import('../../cli/serve-command.js');
const { WorkerPool } = await import('../../src/plane/workers/primary/worker-pool.js');

const nodes = ['a=127.0.0.1:1'];

function file(text: string): string {
  const path = join(tempFolder('settings'), 'ringproxy.yaml');
  writeFileSync(path, text);
  return path;
}

describe('a row more', () => {
  it('is read from the file, the environment and the command line', () => {
    const flags = { nodes };
    expect(loadConfig({ flags })).toMatchObject({ novelty: 2000 });
    expect(loadConfig({ flags, file: file('novelty: 3s\n') })).toMatchObject({ novelty: 3000 });
    expect(loadConfig({ flags, env: { RINGPROXY_NOVELTY: '4s' } })).toMatchObject({ novelty: 4000 });
    expect(() => loadConfig({ flags, file: file('novelty: 1ms\n') })).toThrow(
      'expected a duration from 1s to 1h, such as 2s',
    );
  });

  it('is documented, and has its flag', () => {
    expect(configReference()).toContain('\n| `novelty` | duration | `2s` | `RINGPROXY_NOVELTY` | a test |');
    const program = new Command();
    registerServeCommand(program);
    expect(program.commands[0]?.helpInformation()).toMatch(/--novelty <TIME> +a test \(default: 2s\)/);
  });

  it('reaches the workers with all others', async () => {
    const config = loadConfig({ flags: { nodes, password: 'p' }, env: { RINGPROXY_NOVELTY: '5s' } });
    const listen = { host: '127.0.0.1', port: 0 };
    const workers = new FakeWorkers();
    const pool = new WorkerPool({
      workers: 2,
      plane: { ...pickDataPlaneSettings(config), listen, tls: null, proxyId: 'x', version: '1' },
      standing: new FakeStanding('x'),
      fleet: null,
      killLate: async () => {},
      killNamed: async () => {},
      warn: () => {},
      beforeReturn: async () => {},
      open: workers.open,
    });
    const listening = pool.listen();
    for (const worker of workers.all) worker.say({ type: 'started' });
    await listening;
    const closed = pool.close(0);
    for (const worker of workers.all) worker.exit();
    await closed;
    const started = workers.all.map((worker) => worker.last('start').options);
    expect(started).toHaveLength(2);
    for (const options of started) {
      const settings = Object.keys(DATA_PLANE_SETTINGS);
      expect(Object.keys(options).sort()).toEqual([...settings, 'listen', 'tls', 'proxyId', 'version'].sort());
      expect(options).toMatchObject({ novelty: 5000, password: 'p', requestTimeout: 5000 });
    }
  });
});

describe("the data plane's options", () => {
  it('have every setting, of the type of its row', () => {
    expectTypeOf<keyof DataPlaneSettings>().toEqualTypeOf<keyof typeof DATA_PLANE_SETTINGS>();
    expectTypeOf<DataPlaneOptions>().toExtend<DataPlaneSettings>();
    expectTypeOf<keyof WorkerOptions>().toEqualTypeOf<
      keyof DataPlaneSettings | 'listen' | 'tls' | 'proxyId' | 'version'
    >();
    expectTypeOf<DataPlaneSettings['adminCommands']>().toEqualTypeOf<'deny' | 'allow'>();
    expectTypeOf<DataPlaneSettings['requestTimeout']>().toEqualTypeOf<number>();
    expectTypeOf<DataPlaneSettings['clusterMode']>().toEqualTypeOf<boolean>();
  });

  it('have nothing of what is not the data plane’s', () => {
    const picked = pickDataPlaneSettings(loadConfig({ flags: { nodes, adminToken: 'secret' } }));
    expect(Object.keys(picked)).toEqual(Object.keys(DATA_PLANE_SETTINGS));
  });
});
