/** Scrapes `/metrics` as Prometheus does. @throws Error when it is not answered */
export async function scrapeOnce(admin: string): Promise<void> {
  const answer = await fetch(`${admin}/metrics`);
  await answer.text();
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
}

/**
 * Scrapes until it is told to stop. A scrape that takes longer than the pause is not caught up with.
 * @returns ends it, and fails when a scrape has failed
 */
export function scrapeEvery(admin: string, milliseconds: number): () => Promise<void> {
  let running: Promise<void> | null = null;
  let failure: unknown = null;
  const once = async (): Promise<void> => {
    try {
      await scrapeOnce(admin);
    } catch (error) {
      failure = error;
    }
    running = null;
  };
  const begin = (): void => {
    running ??= once();
  };
  begin();
  const timer = setInterval(begin, milliseconds);
  return async () => {
    clearInterval(timer);
    await running;
    if (failure !== null) throw failure;
  };
}
