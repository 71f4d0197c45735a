export function runMeanwhile(program: string, args: readonly string[]): Promise<number>;
export function runAside(
  program: string,
  args: readonly string[],
): Promise<{ readonly status: number; readonly output: string }>;
