/**
 * A whole terminal to draw on, which is as it was before when it is closed. It has a place of its own beside the lines
 * of the shell (the alternate screen), so a window that changes its size leaves no remains of earlier drawings.
 */
import type { WriteStream } from 'node:tty';

const ESC = '\u001b[';
/** The alternate screen, without a cursor; a line that is too long is cut instead of broken. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export class Screen {
  readonly #out: WriteStream;
  readonly #redraw: () => void;
  #open = false;

  /** @param redraw is called when what was drawn has gone: the size has changed, or the program was stopped (Ctrl-Z) */
  constructor(out: WriteStream, redraw: () => void) {
    this.#out = out;
    this.#redraw = redraw;
  }

  get columns(): number {
    return this.#out.columns || DEFAULT_COLUMNS;
  }

  get rows(): number {
    return this.#out.rows || DEFAULT_ROWS;
  }

  open(): void {
    this.#enter();
    this.#out.on('resize', this.#redraw);
    process.on('SIGTSTP', this.#suspend);
    // However the program ends, the shell gets its terminal back.
    process.on('exit', this.#leave);
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.rows);
    // A line is cleared before it is written: behind one that is as wide as the terminal, its end would be cleared.
    const text = shown.map((line) => `${ESC}2K${line}`).join('\r\n');
    this.#out.write(`${ESC}H${text}${shown.length < this.rows ? `\r\n${ESC}J` : ''}`);
  }

  close(): void {
    this.#leave();
    this.#out.off('resize', this.#redraw);
    process.off('SIGTSTP', this.#suspend);
    process.off('exit', this.#leave);
  }

  #enter(): void {
    this.#open = true;
    this.#out.write(ENTER);
  }

  readonly #leave = (): void => {
    if (this.#open) this.#out.write(LEAVE);
    this.#open = false;
  };

  readonly #suspend = (): void => {
    this.#leave();
    process.once('SIGCONT', () => {
      this.#enter();
      this.#redraw();
    });
    process.kill(process.pid, 'SIGSTOP');
  };
}
