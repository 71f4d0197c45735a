/**
 * Answers other proxies about the keys of sources that this one moves. Each question says by which claim it takes this proxy
 * to move them: where that is another one, nothing is done. Asked twice, nothing is done twice.
 */
import type { MoveWaiter } from '../../proxy/key-moves.js';
import type { Timers } from '../../time/timers.js';
import type { Looks } from '../looks.js';
import type { MovesAnswer, MovesQuestion } from './peer-protocol.js';

/** What is not answered by then is asked for again. */
const ANSWER_MS = 100;
/** A hold that is not renewed ends by itself: its proxy may be gone. */
const HOLD_MS = 3000;

/** A source whose keys move here. */
export interface OwnSource {
  /** Whether the key moves from this source to this target. */
  isMoving(target: number, key: Buffer): boolean;
  isSettled(database: number, key: Buffer): boolean;
  settle(target: number, database: number, key: Buffer, client: MoveWaiter): void;
  noteGone(database: number, key: Buffer): void;
  readonly looks: Looks;
}

interface Hold {
  readonly looks: Looks;
  /** Takes back what ends it. */
  stopEnd: () => void;
}

const NOT_HERE: MovesAnswer = { moves: false, settled: [], failed: [], held: false };

export class MovesServer {
  readonly #find: (question: MovesQuestion) => OwnSource | null;
  readonly #timers: Pick<Timers, 'after'>;
  /** By asker and its number for it. */
  readonly #holds = new Map<string, Hold>();

  /** @param find the source that is moved here by that very claim, or null */
  constructor(find: (question: MovesQuestion) => OwnSource | null, timers: Pick<Timers, 'after'>) {
    this.#find = find;
    this.#timers = timers;
  }

  /** @param from the id of the proxy that asks */
  async answer(from: string, question: MovesQuestion): Promise<MovesAnswer> {
    if (question.release !== null) this.#release(`${from} ${question.release}`);
    const source = this.#find(question);
    if (source === null) return NOT_HERE;
    for (const { database, key } of question.gone) source.noteGone(database, key);
    const held = question.hold !== null && (await this.#hold(`${from} ${question.hold}`, source.looks));
    return { moves: true, held, ...(await this.#settle(source, question.settle)) };
  }

  async #settle(source: OwnSource, keys: MovesQuestion['settle']): Promise<Pick<MovesAnswer, 'settled' | 'failed'>> {
    const settled: number[] = [];
    const failed: number[] = [];
    let left = 0;
    let isOver = false;
    await new Promise<void>((resolve) => {
      const note = ({ token, database, key }: (typeof keys)[number]): void => {
        if (!isOver) (source.isSettled(database, key) ? settled : failed).push(token);
      };
      for (const asked of keys) {
        const { target, database, key } = asked;
        if (source.isSettled(database, key) || !source.isMoving(target, key)) {
          note(asked);
          continue;
        }
        left++;
        const resumeSoon = (): void => {
          note(asked);
          left--;
          if (left === 0) resolve();
        };
        source.settle(target, database, key, { resumeSoon });
      }
      if (left === 0) resolve();
      else this.#timers.after(ANSWER_MS, resolve);
    });
    isOver = true;
    return { settled, failed };
  }

  async #hold(name: string, looks: Looks): Promise<boolean> {
    const held = this.#holds.get(name);
    if (held !== undefined) {
      held.stopEnd();
      held.stopEnd = this.#endLater(name);
      return true;
    }
    if (!(await this.#mayLook(looks))) return false;
    // It was asked for twice at the same time.
    if (this.#holds.has(name)) looks.release();
    else this.#holds.set(name, { looks, stopEnd: this.#endLater(name) });
    return true;
  }

  /** @returns whether nothing moves now, until it is released */
  #mayLook(looks: Looks): Promise<boolean> {
    return new Promise((resolve) => {
      let isOver = false;
      const ask = (): void => {
        if (isOver || !looks.hold({ resumeSoon: ask })) return;
        isOver = true;
        stop();
        resolve(true);
      };
      const stop = this.#timers.after(ANSWER_MS, () => {
        isOver = true;
        resolve(false);
      });
      ask();
    });
  }

  #endLater(name: string): () => void {
    return this.#timers.after(HOLD_MS, () => this.#release(name));
  }

  #release(name: string): void {
    const hold = this.#holds.get(name);
    if (hold === undefined) return;
    this.#holds.delete(name);
    hold.stopEnd();
    hold.looks.release();
  }
}
