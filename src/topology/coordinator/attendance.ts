/** Who is there, before a fence is raised: while it stands, clients wait. */
import { RingproxyError } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { PASSING_MARGIN_MS, type Passing } from './passing.js';

const LOOK_EVERY_MS = 100;

/**
 * Passes members that are dead, so that no client waits for them. One whose lease has just run out is waited for.
 * @throws RingproxyError PROXY_GONE that says who cannot be passed, and why
 */
export async function seeWhoIsThere(
  passing: Pick<Passing, 'pass' | 'describe'>,
  timers: Pick<Timers, 'now' | 'after'> = systemTimers,
): Promise<void> {
  const deadline = timers.now() + 2 * PASSING_MARGIN_MS;
  for (;;) {
    const [first] = await passing.pass();
    if (first === undefined) return;
    if (timers.now() >= deadline) {
      throw new RingproxyError(
        'PROXY_GONE',
        `${passing.describe(first.member)}, has to agree, and cannot: ${first.why}`,
      );
    }
    await new Promise<void>((resolve) => timers.after(LOOK_EVERY_MS, resolve));
  }
}
