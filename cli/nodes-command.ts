/** `ringproxy nodes`: what the nodes of the ring say of themselves. */
import type { Command } from 'commander';
import { AdminClient } from '../src/client/admin-client.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { describeNodes } from './nodes-view.js';

export function registerNodesCommand(program: Command): void {
  withCommonOptions(
    program.command('nodes').description('what the nodes of the ring say of themselves: memory, evictions, clients'),
  ).action(async (options: CommonOptions) => {
    const { nodes } = await new AdminClient(options).ring();
    const text = options.json === true ? JSON.stringify(nodes, null, 2) : describeNodes(nodes, process.stdout.columns);
    process.stdout.write(`${text}\n`);
  });
}
