/** What a row of the table of routes says. */
import type { z } from 'zod';
import type { Access, Raised } from '../access/roles.js';

/** What may be asked for in a URL behind the question mark. */
export interface QueryWord {
  readonly type: 'text' | 'number' | 'flag' | 'time';
  readonly help: string;
  /** Inclusive; of numbers. */
  readonly least?: number;
  readonly most?: number;
  readonly otherwise?: number | boolean;
  /** It may be given more than once. */
  readonly many?: true;
  /** It must be given. */
  readonly required?: true;
}

export interface RouteBody {
  readonly schema: z.ZodType;
  /** Whether nothing at all is understood, too. */
  readonly optional: boolean;
  /** By what each does. All are understood (a test sees to that). */
  readonly examples: Readonly<Record<string, unknown>>;
}

export type AnswerForm = 'json' | 'text' | 'html' | 'file' | 'metrics' | 'events';

export interface RouteRow {
  /** Who may call it. */
  readonly needs: Access;
  /** Words of its body that only some of those may say. */
  readonly raised?: Raised;
  /** What it does, in one line. */
  readonly help: string;
  /** The type of its answer, made of those in `src/admin/api.ts`: `A`, `A[]`, `A | B`. Every JSON answer has one. */
  readonly answer?: string;
  /** JSON, if nothing is said. */
  readonly form?: AnswerForm;
  readonly query?: Readonly<Record<string, QueryWord>>;
  readonly body?: RouteBody;
}
