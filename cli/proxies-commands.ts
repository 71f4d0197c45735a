/** `ringproxy proxies`: who serves this ring. */
import type { Command } from 'commander';
import { AdminClient } from '../src/client/admin-client.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { describeProxies } from './proxies-view.js';

export function registerProxiesCommands(program: Command): void {
  const proxies = program.command('proxies').description('the proxies that serve this ring');
  withCommonOptions(proxies.command('ls', { isDefault: true }).description('list them')).action(
    async (options: CommonOptions) => {
      const found = await new AdminClient(options).proxies();
      const text =
        options.json === true ? JSON.stringify(found, null, 2) : describeProxies(found, process.stdout.columns);
      process.stdout.write(`${text}\n`);
    },
  );
  withCommonOptions(
    proxies
      .command('forget')
      .description('take a proxy out of the fleet that is dead, and will not come back: you vouch for it')
      .argument('<id>', 'as proxies ls shows it'),
  ).action(async (id: string, options: CommonOptions) => {
    const left = await new AdminClient(options).forget(id);
    const text = options.json === true ? JSON.stringify(left, null, 2) : `${id} is forgotten`;
    process.stdout.write(`${text}\n`);
  });
}
