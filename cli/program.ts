import type { Command } from 'commander';
import { registerAdviseCommand } from './advise-command.js';
import { registerAuditCommand } from './audit-command.js';
import { registerCompletionCommand } from './completion/completion-command.js';
import { registerConfigCommands } from './config-commands.js';
import { registerDemoCommand } from './demo/demo-command.js';
import { registerEventsCommand } from './events-command.js';
import { registerGroupsCommands } from './groups-commands.js';
import { registerHotCommand } from './hot-command.js';
import { registerNodeCommands } from './node-commands.js';
import { registerNodesCommand } from './nodes-command.js';
import { type ProgramOptions, programOf } from './program-of.js';
import { registerProxiesCommands } from './proxies-commands.js';
import { registerRingCommands } from './ring-commands.js';
import { registerServeCommand } from './serve-command.js';
import { registerStatsCommand } from './stats-command.js';
import { registerTopCommand } from './top-command.js';

/**
 * The program with all its commands.
 * @param options.quiet a wrong call is told by whoever catches it
 */
export function buildProgram(options: ProgramOptions = {}): Command {
  return programOf(registerAll, options);
}

function registerAll(program: Command): void {
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
