import type { Command } from 'commander';
import { type ProgramOptions, programOf } from './program-of.js';
import { registerServeCommand } from './serve-command.js';

/** The program with nothing but `ringproxy serve`. */
export function buildServeProgram(options: ProgramOptions = {}): Command {
  return programOf(registerServeCommand, options);
}
