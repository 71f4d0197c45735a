import { type Command, InvalidArgumentError } from 'commander';

/** `ringproxy demo` */
export function registerDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('three real Redis nodes, a proxy and traffic; a fourth node joins while it runs')
    .option('--seconds <seconds>', 'end by itself after so many seconds', parseSeconds)
    .action(async (options: { seconds?: number }) => {
      // Loaded when it is asked for: the other commands start faster without it.
      const { runDemo } = await import('./run-demo.js');
      await runDemo(options);
    });
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 4) throw new InvalidArgumentError('expected 4 or more');
  return seconds;
}
