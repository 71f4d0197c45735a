// A transcript that does not depend on what server is asked: one line of JSON for each step.
export const URL = process.env.REDIS_URL ?? '';
export const PORT = Number(process.env.REDIS_PORT);

/**
 * Runs a step and prints what it gave, or how it failed.
 * @returns what it gave; undefined when it failed
 */
export async function step(name, run) {
  let result;
  let printed;
  try {
    result = await run();
    printed = plain(result);
  } catch (error) {
    printed = plain(error);
  }
  console.log(JSON.stringify({ step: name, result: printed }));
  return result;
}

/** Asks again and again until there is an answer. */
export async function until(condition, milliseconds = 60_000) {
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return null;
}

/** @returns the numbers from 0 on */
export function range(count) {
  return Array.from({ length: count }, (_, i) => i);
}

function plain(value) {
  if (value instanceof Error) return { error: `${value.name}: ${value.message}` };
  if (value instanceof Set) return [...value].map(plain).sort();
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, each]) => [key, plain(each)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
