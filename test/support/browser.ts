import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { atEnd } from './cleanup.js';
import { findReferee } from './programs.js';

const PROGRAM = findReferee('chromium', 'chromium-browser', 'google-chrome');

/** Whether the tests that need a browser can run. */
export const hasBrowser = PROGRAM !== null;

/** A page, with what it asked for and complained about. */
export interface WatchedPage {
  readonly page: Page;
  /** Warnings and errors of the console, and exceptions. */
  readonly complaints: string[];
  /** The URL of every request. */
  readonly requests: string[];
}

/** A real Chromium that ends with the test (or file) that started it. */
export class BrowserProcess {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
    atEnd(() => browser.close());
  }

  static async start(): Promise<BrowserProcess> {
    if (PROGRAM === null) throw new Error('chromium is not installed; `npm test` installs it');
    return new BrowserProcess(
      await chromium.launch({
        executablePath: PROGRAM,
        // What a browser does by itself, such as looking for updates, has no place in a test.
        args: [
          ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage'],
          ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
        ],
      }),
    );
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await this.#browser.newContext({ reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    const watched: WatchedPage = { page, complaints: [], requests: [] };
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) watched.complaints.push(message.text());
    });
    page.on('pageerror', (error) => watched.complaints.push(error.message));
    page.on('request', (request) => watched.requests.push(request.url()));
    await page.goto(url);
    return watched;
  }
}
