import type { Command } from 'commander';
import { type ConfigSources, loadConfig } from '../src/config/load.js';
import { defaultOf, type Setting } from '../src/config/settings/setting.js';
import { type Config, SETTINGS, type SettingName } from '../src/config/settings.js';
import { configWarnings } from '../src/config/warnings.js';
import { messageOf, RingproxyError } from '../src/errors.js';
import type { RunningProxy } from '../src/serve.js';
import { requireRing } from './require-ring.js';
import { ServiceManager } from './service-manager.js';
import { warnOf } from './warn.js';

const ALL = Object.keys(SETTINGS).length;
const MORE = `
These flags are ${flagSettings().length} of ${ALL} settings. A configuration file has all of them, and each may be given by an
environment variable: ringproxy config reference lists both.`;

/** `ringproxy serve` */
export function registerServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('run a proxy')
    .option('-c, --config <file>', 'configuration file (YAML)')
    .option('--node <NAME=HOST:PORT[*WEIGHT]>', 'a node of the first generation; as often as there are nodes', collect)
    .option('--check', 'check the configuration and exit');
  for (const [, setting] of flagSettings()) {
    command.option(`--${setting.path} <${setting.flag}>`, `${setting.help} (default: ${defaultOf(setting) || 'none'})`);
  }
  command.addHelpText('after', MORE);
  command.action((options: Record<string, unknown>) => serve(options));
}

/** Reads the configuration as it is now. @returns or what is wrong with it */
function readAgain(sources: ConfigSources, where: string): Config | RingproxyError {
  try {
    const config = loadConfig({ ...sources, again: true });
    requireRing(config, where);
    return config;
  } catch (error) {
    if (error instanceof RingproxyError) return error;
    throw error;
  }
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function flagSettings(): [SettingName, Setting][] {
  const names = Object.keys(SETTINGS) as SettingName[];
  return names.flatMap((name): [SettingName, Setting][] => {
    const setting: Setting = SETTINGS[name];
    return setting.flag === undefined ? [] : [[name, setting]];
  });
}

/** Where clients will connect. */
export function addressesOf({ listen, tlsListen }: Config): string {
  return [listen, tlsListen === 'off' ? 'off' : `${tlsListen} (TLS)`].filter((text) => text !== 'off').join(' and ');
}

function statusOf({ listen, tls }: RunningProxy): string {
  return `serving clients on ${[listen, tls].filter((address) => address !== null).join(' and ')}`;
}

async function serve(options: Record<string, unknown>): Promise<void> {
  const flags: Partial<Record<SettingName, unknown>> = {};
  // commander names an option as the settings are named: in camel case.
  for (const [name] of flagSettings()) if (options[name] !== undefined) flags[name] = options[name];
  if (options.node !== undefined) flags.nodes = options.node;
  const file = typeof options.config === 'string' ? options.config : undefined;
  const where = file ?? 'the command line';
  const sources = { file, flags, env: process.env };
  const config = loadConfig(sources);
  if (options.check === true) {
    warnOf(configWarnings(config, process.env));
    requireRing(config, where);
    // Loaded when it is needed: a proxy starts faster without it.
    const { formatCounted } = await import('./format.js');
    const ring = config.coordination === 'none' ? '' : `, ring ${config.ringName} in ${config.coordination}`;
    process.stdout.write(
      `the configuration is valid: ${formatCounted(config.nodes.length, 'node')}${ring}, listens on ${addressesOf(config)}\n`,
    );
    return;
  }
  let proxy: RunningProxy | null = null;
  const ending = new AbortController();
  const manager = new ServiceManager();
  const close = (running: RunningProxy, signal: string): void => {
    running.close(signal).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`ringproxy: ${messageOf(error)}\n`);
        process.exit(1);
      },
    );
  };
  const stop = (signal: NodeJS.Signals): void => {
    // Whoever asks twice does not want to wait.
    if (ending.signal.aborted) process.exit(1);
    ending.abort(signal);
    manager.stopping();
    if (proxy !== null) close(proxy, signal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Whatever sends it, a closed terminal among others: it never ends a proxy.
  process.on('SIGHUP', (signal) => {
    if (proxy === null) return;
    manager.reloading();
    proxy.reload(readAgain(sources, where), signal);
    manager.ready(statusOf(proxy));
  });
  // Loaded when it is needed: the other commands start faster without it.
  const { startServer } = await import('../src/serve.js');
  try {
    proxy = await startServer(config, {
      signal: ending.signal,
      env: process.env,
      onLost: () => process.exit(1),
    });
  } catch (error) {
    // It has ended in order.
    if (ending.signal.aborted) process.exit(0);
    throw error;
  }
  // Asked to end while it started.
  if (ending.signal.aborted) return close(proxy, String(ending.signal.reason));
  manager.ready(statusOf(proxy));
  const ready = {
    event: 'ready',
    listen: proxy.listen,
    ...(proxy.tls === null ? {} : { tls: proxy.tls }),
    ...{ admin: proxy.admin, pid: process.pid, proxy: proxy.proxyId },
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}
