/** What the tests use of redlock, which brings no types. */
declare module 'redlock' {
  export interface Lock {
    unlock(): Promise<void>;
    extend(milliseconds: number): Promise<Lock>;
  }
  export default class Redlock {
    constructor(clients: readonly object[], options?: { retryCount?: number; retryDelay?: number });
    lock(resource: string, milliseconds: number): Promise<Lock>;
    on(event: 'clientError', listener: (error: Error) => void): void;
  }
}
