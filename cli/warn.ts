/** Tells what is odd and no failure, on standard error: a line each. */
export function warnOf(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}
