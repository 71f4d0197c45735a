/** What a proxy asks the one that moves the keys of a source, and what that answers: as JSON, keys in base64. */
import { z } from 'zod';

/** What proxies ask each other for this. */
export const MOVES_PATH = 'moves';

const database = z.number().int().nonnegative();
const key = z.base64().transform((text): Buffer => Buffer.from(text, 'base64'));

const question = z.object({
  /** The change's id, the source's number in it, and the claim of whoever is asked. */
  change: z.string(),
  source: z.number().int().nonnegative(),
  revision: z.number().int().nonnegative(),
  /** Keys to be moved. */
  settle: z
    .array(z.object({ token: z.number().int(), target: z.number().int().nonnegative(), database, key }))
    .default([]),
  /** Keys that the source has said not to have. */
  gone: z.array(z.object({ database, key })).default([]),
  /** A hold of moves that the asker wants, or has, by its own number for it; that it does not need any more. */
  hold: z.string().nullable().default(null),
  release: z.string().nullable().default(null),
});

const answer = z.object({
  /** False: it does not move these keys, by that claim. Then nothing was done. */
  moves: z.boolean(),
  /** Tokens of keys that have moved, and of those that could not; others are under way. */
  settled: z.array(z.number()).default([]),
  failed: z.array(z.number()).default([]),
  /** The hold is in force, for a while from now. */
  held: z.boolean().default(false),
});

export type MovesQuestion = z.output<typeof question>;
export type MovesAnswer = z.output<typeof answer>;

/** How a question is sent. */
export function questionBody({ settle, gone, ...rest }: MovesQuestion): object {
  return {
    ...rest,
    settle: settle.map((one) => ({ ...one, key: one.key.toString('base64') })),
    gone: gone.map((one) => ({ ...one, key: one.key.toString('base64') })),
  };
}

/** @returns null: it is none */
export function parseQuestion(body: unknown): MovesQuestion | null {
  return question.safeParse(body).data ?? null;
}

/** @returns null: it is none */
export function parseMovesAnswer(body: unknown): MovesAnswer | null {
  return answer.safeParse(body).data ?? null;
}
