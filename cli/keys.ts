/** Single keys of a terminal, which are heard of as they are pressed. */
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_Z = '\u001a';
const ESCAPE = '\u001b';

/** Each ends what is shown. Ctrl-C is a signal no more once keys are read one by one. */
const ENDS: readonly string[] = ['q', 'Q', CTRL_C, CTRL_D, ESCAPE];

/**
 * Reads keys until it is closed, where standard input is a terminal.
 * @param end is called for `q`, Escape, Ctrl-C and Ctrl-D; Ctrl-Z puts the program into the background, as ever
 */
export function readKeys(end: () => void): { close(): void } {
  const { stdin } = process;
  if (stdin.isTTY !== true) return { close: () => {} };
  const raw = (): void => void stdin.setRawMode(true);
  const onKey = (pressed: Buffer): void => {
    const key = pressed.toString('latin1');
    if (ENDS.includes(key)) end();
    else if (key === CTRL_Z) {
      // The shell that gets its terminal back wants it as it was.
      stdin.setRawMode(false);
      process.once('SIGCONT', raw);
      process.kill(process.pid, 'SIGTSTP');
    }
  };
  raw();
  stdin.on('data', onKey);
  stdin.resume();
  return {
    close: () => {
      stdin.off('data', onKey);
      process.off('SIGCONT', raw);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
