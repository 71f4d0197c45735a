/**
 * Tells the service manager how the program is (the protocol of sd_notify: systemd's `Type=notify`). It listens on a
 * Unix datagram socket, which Node.js cannot speak to; `systemd-notify` can, is there wherever systemd is, and waits
 * until what it says was heard. As it is another process than the main one, the unit says `NotifyAccess=all`.
 */
import { spawn } from 'node:child_process';

/** Sends lines such as `READY=1`. */
export type Send = (lines: readonly string[]) => void;

const ALIVE = ['WATCHDOG=1'] as const;
const STOPPING = ['STOPPING=1'] as const;

export interface ServiceEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/** How often within the time that it is given a watchdog hears of us. */
const PER_WATCHDOG = 3;

export class ServiceManager {
  readonly #send: Send;
  readonly #watchdogMs: number;
  #watchdog: NodeJS.Timeout | null = null;

  /**
   * @param env what the service manager has set; without `NOTIFY_SOCKET` there is none, and nothing is sent
   * @param send by default by `systemd-notify`; nobody waits for it, and where it fails nothing else does
   */
  constructor(env: ServiceEnvironment = process.env, send: Send = systemdNotify()) {
    const listens = (env.NOTIFY_SOCKET ?? '') !== '';
    this.#send = listens ? send : () => {};
    this.#watchdogMs = listens ? watchdogOf(env) : 0;
  }

  /** It serves. From now on the watchdog hears of it for as long as the event loop turns. */
  ready(status: string): void {
    this.#send(['READY=1', `STATUS=${status}`]);
    if (this.#watchdogMs === 0 || this.#watchdog !== null) return;
    this.#watchdog = setInterval(() => this.#send(ALIVE), this.#watchdogMs / PER_WATCHDOG);
    this.#watchdog.unref();
  }

  /** It reads its configuration again; `ready` follows. */
  reloading(): void {
    // In microseconds of CLOCK_MONOTONIC, which is what the runtime's clock is.
    this.#send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  /** It ends. How long that may take is the unit's to say (TimeoutStopSec). */
  stopping(): void {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    this.#send(STOPPING);
  }
}

/** @returns milliseconds; 0: nobody waits for a sign of us */
function watchdogOf({ WATCHDOG_USEC, WATCHDOG_PID }: ServiceEnvironment): number {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return 0;
  const microseconds = Number(WATCHDOG_USEC ?? 0);
  return Number.isFinite(microseconds) && microseconds > 0 ? microseconds / 1000 : 0;
}

/**
 * Sends one message after the other, each when the one before was heard: "ready" must not overtake "reloading". The
 * last one does not wait: the program may have ended before its turn came.
 */
function systemdNotify(): Send {
  const waiting: (readonly string[])[] = [];
  let isSending = false;
  const start = (lines: readonly string[], then: () => void): void => {
    const child = spawn('systemd-notify', [...lines], { stdio: 'ignore' });
    // Without it the service manager hears nothing, and says so by itself.
    child.once('error', then);
    child.once('exit', then);
    child.unref();
  };
  const next = (): void => {
    const lines = waiting.shift();
    isSending = lines !== undefined;
    if (lines !== undefined) start(lines, next);
  };
  return (lines) => {
    if (lines === STOPPING) {
      waiting.length = 0;
      start(lines, () => {});
      return;
    }
    // A sign of life that is still to be sent is sign enough.
    if (lines !== ALIVE || !waiting.includes(ALIVE)) waiting.push(lines);
    if (!isSending) next();
  };
}
