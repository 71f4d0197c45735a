import { type Command, InvalidArgumentError } from 'commander';

/** `ringproxy demo` */
export function registerDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('three real Redis nodes, a proxy and traffic; a fourth node joins while it runs')
    .option('--proxies <n>', 'so many proxies, with an etcd; one is killed while the node joins', parseProxies)
    .option('--caching', 'another one: caching types under a skewed load, and a page that expires; ends by itself')
    .option('--seconds <seconds>', 'end by itself after so many seconds', parseSeconds)
    .action(async (options: { caching?: boolean; seconds?: number; proxies?: number }) => {
      // Loaded when it is asked for: the other commands start faster without it.
      if (options.caching === true) {
        const { runCachingDemo } = await import('./caching/caching-demo.js');
        return await runCachingDemo();
      }
      const { runDemo } = await import('./run-demo.js');
      await runDemo({ seconds: options.seconds, proxies: options.proxies ?? 1 });
    });
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 4) throw new InvalidArgumentError('expected 4 or more');
  return seconds;
}

function parseProxies(text: string): number {
  const proxies = Number(text);
  if (!/^\d+$/.test(text) || proxies < 1 || proxies > 16) throw new InvalidArgumentError('expected 1 to 16');
  return proxies;
}
