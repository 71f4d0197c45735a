import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { loadConfig } from '../src/config/load.js';
import { configReference } from '../src/config/reference.js';
import { configTemplate } from '../src/config/template.js';
import { decodeText } from '../src/config/twemproxy/file.js';
import { importTwemproxy } from '../src/config/twemproxy.js';
import { configWarnings } from '../src/config/warnings.js';
import { messageOf, systemCode } from '../src/errors.js';
import { parseAddress } from '../src/node/address.js';
import { CliError } from './cli-error.js';
import { formatCounted } from './format.js';
import { readNamedFile } from './named-file.js';
import { requireRing } from './require-ring.js';
import { addressesOf } from './serve-command.js';
import { warnOf } from './warn.js';

const PATH_HINT = 'check the path and its permissions';

/** `ringproxy config …` */
export function registerConfigCommands(program: Command): void {
  const config = program.command('config').description('check, import and look up configuration');
  config
    .command('check')
    .description('read a configuration file and report every mistake')
    .argument('<file>', 'ringproxy.yaml')
    .action((file: string) => {
      const loaded = loadConfig({ file, env: process.env });
      warnOf(configWarnings(loaded, process.env));
      requireRing(loaded, file);
      const names = loaded.nodes.map((node) => node.name).join(', ');
      process.stdout.write(
        `${file} is valid: listens on ${addressesOf(loaded)}, ${formatCounted(loaded.nodes.length, 'node')} (${names})\n`,
      );
    });
  config
    .command('init')
    .description('write a configuration with every setting, its default and what it is for, as comments')
    .argument('[file]', 'where to; without it, to standard output')
    .action((file: string | undefined) => {
      if (file === undefined) process.stdout.write(configTemplate());
      else writeNew(file, configTemplate());
    });
  config
    .command('import-twemproxy')
    .description("print ringproxy's YAML for a pool of a nutcracker.yml")
    .argument('<file>', 'nutcracker.yml')
    .option('--pool <name>', 'which pool, when there are several')
    .option(
      '--admin <host:port>',
      'where the admin API is to be (default: a port for each pool of the file, from 6390 on)',
    )
    .action((file: string, options: { pool?: string; admin?: string }) => {
      if (options.admin !== undefined && options.admin !== 'off' && parseAddress(options.admin) === null) {
        throw new CliError(`'${options.admin}' is not an address`, 'expected HOST:PORT or off', 2);
      }
      const { yaml, warnings } = importTwemproxy(
        decodeText(readNamedFile(file, file, PATH_HINT)),
        options.pool,
        options.admin,
      );
      warnOf(warnings);
      process.stdout.write(yaml);
    });
  config
    .command('reference')
    .description('print the table of all settings, in Markdown')
    .action(() => {
      process.stdout.write(`${configReference()}\n`);
    });
}

/** @throws CliError when the file is there already, or cannot be written */
function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw new CliError(`${file} is there already`, 'name a new file', 2);
    const why = messageOf(error);
    throw new CliError(`${file} cannot be written: ${why}`, PATH_HINT);
  }
  process.stdout.write(`${file}: put your nodes in, then ringproxy serve -c ${file}\n`);
}
