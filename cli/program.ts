import { Command } from 'commander';
import { readVersion } from '../src/version.js';
import { registerAdviseCommand } from './advise-command.js';
import { registerAuditCommand } from './audit-command.js';
import { registerCompletionCommand } from './completion/completion-command.js';
import { registerConfigCommands } from './config-commands.js';
import { registerDemoCommand } from './demo/demo-command.js';
import { registerEventsCommand } from './events-command.js';
import { withExamples } from './examples.js';
import { registerGroupsCommands } from './groups-commands.js';
import { registerHotCommand } from './hot-command.js';
import { registerNodeCommands } from './node-commands.js';
import { registerNodesCommand } from './nodes-command.js';
import { registerProxiesCommands } from './proxies-commands.js';
import { registerRingCommands } from './ring-commands.js';
import { registerServeCommand } from './serve-command.js';
import { registerStatsCommand } from './stats-command.js';
import { registerTopCommand } from './top-command.js';

/**
 * The program with all its commands.
 * @param options.quiet a wrong call is told by whoever catches it
 */
export function buildProgram({ quiet = false }: { readonly quiet?: boolean } = {}): Command {
  const program = new Command('ringproxy')
    .description('a proxy that spreads a Redis cache over a ring of ordinary Redis nodes')
    .version(readVersion())
    .showHelpAfterError('(ringproxy --help lists the commands and their flags)');
  registerServeCommand(program);
  registerRingCommands(program);
  registerNodesCommand(program);
  registerNodeCommands(program);
  registerProxiesCommands(program);
  registerStatsCommand(program);
  registerTopCommand(program);
  registerHotCommand(program);
  registerAdviseCommand(program);
  registerAuditCommand(program);
  registerGroupsCommands(program);
  registerEventsCommand(program);
  registerConfigCommands(program);
  registerDemoCommand(program);
  registerCompletionCommand(program);
  withExamples(program);
  forEach(program, (command) => {
    // So that a wrong call ends with 2, as the contract has it, and not with commander's 1.
    command.exitOverride();
    if (quiet) command.configureOutput({ outputError: () => {}, writeErr: () => {} });
  });
  return program;
}

/**
 * `ringproxy help ring add` as `ringproxy ring add --help`: commander's own `help` looks one word far, and says nothing of
 * a command that there is not.
 */
export function helpFor(args: readonly string[], program: Command): readonly string[] {
  const [help, ...words] = args;
  if (help !== 'help' || words.length === 0 || words[0]?.startsWith('-') === true) return args;
  let command = program;
  for (const [at, word] of words.entries()) {
    if (command.commands.length === 0) break;
    const sub = command.commands.find((candidate) => candidate.name() === word);
    // A group of commands carries nothing out: it says which one it does not know.
    if (sub === undefined) return words.slice(0, at + 1);
    command = sub;
  }
  return [...words.slice(0, depthOf(command)), '--help'];
}

function depthOf(command: Command): number {
  return command.parent === null ? 0 : 1 + depthOf(command.parent);
}

function forEach(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const sub of command.commands) forEach(sub, act);
}
