/** Time as a part of the program sees it. It is handed in, so that tests decide how much of it has passed. */
export interface Timers {
  /** Milliseconds from any start, with fractions; never goes back. */
  now(): number;
  /** Calls once, in so many milliseconds. @returns a function that takes it back */
  after(milliseconds: number, callback: () => void): () => void;
  /** Calls again and again, each time after so many milliseconds. @returns a function that ends it */
  every(milliseconds: number, callback: () => void): () => void;
}

/** The machine's. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  every(milliseconds, callback) {
    const timer = setInterval(callback, milliseconds);
    return () => clearInterval(timer);
  },
};
