type End = () => void | Promise<void>;

/** Given what ends a thing, binds it to the running test; false when no test is running. */
type TestScope = (end: End) => boolean;

/** What ends with the test file (or the program): whatever was started outside of a test. Last in, first out. */
const ends: End[] = [];
/** What has to end at once when the process itself ends. */
const lastResorts = new Set<() => void>();
let testScope: TestScope = () => false;

/** Called by the set-up of vitest; without it (benchmarks) everything ends with `endAll`. */
export function setTestScope(scope: TestScope): void {
  testScope = scope;
}

/**
 * Runs `end` when the test that is running ends, also when it fails; outside of a test (`beforeAll`, a
 * benchmark) when the file ends. Within one scope the newest runs first. What `end` throws fails the test.
 */
export function atEnd(end: End): void {
  if (!testScope(end)) ends.push(end);
}

/** Runs what is left of `atEnd`; every one of them, and then throws what the first one threw. */
export async function endAll(): Promise<void> {
  const errors: unknown[] = [];
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
    try {
      await end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Runs `end` synchronously if the process exits before the returned function is called. */
export function atExit(end: () => void): () => void {
  lastResorts.add(end);
  return () => lastResorts.delete(end);
}

process.once('exit', () => {
  for (const end of lastResorts) end();
});
