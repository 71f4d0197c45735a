/**
 * What proxies ask each other about the values that all of them have. Whatever comes may be of another version, or
 * garbage: it is read by these functions, which give null for what does not fit.
 *
 *   news       batches of what was written at the asker    → taken
 *   compare    a number for all that the asker has         → how far that of the answerer can be relied on, and that it is
 *                                                             the same, or a number and a size for each bucket
 *   exchange   what the asker has in some buckets          → what the answerer has there
 */
import { BytesReader } from '../values/bytes-reader.js';
import { BytesWriter } from '../values/bytes-writer.js';
import { BUCKETS } from '../values/entry.js';
import type { Reach } from '../values/reach.js';

const FORMAT = 1;

export interface Bucket {
  readonly digest: number;
  /** What it takes, nearly. */
  readonly bytes: number;
}

export type ToldReach = Pick<Reach, 'forgotten' | 'restored'>;

export type Question =
  /** `age`: for how long the oldest of it has waited. Milliseconds. */
  | { readonly kind: 'news'; readonly age: number; readonly batches: readonly Buffer[] }
  | { readonly kind: 'compare'; readonly root: number }
  | { readonly kind: 'exchange'; readonly buckets: readonly number[]; readonly batches: readonly Buffer[] };

export type Answer =
  | { readonly kind: 'taken' }
  | { readonly kind: 'same'; readonly reach: ToldReach }
  | { readonly kind: 'buckets'; readonly reach: ToldReach; readonly buckets: readonly Bucket[] }
  | { readonly kind: 'batches'; readonly batches: readonly Buffer[] };

const QUESTIONS = ['news', 'compare', 'exchange'] as const satisfies readonly Question['kind'][];
const ANSWERS = ['taken', 'same', 'buckets', 'batches'] as const satisfies readonly Answer['kind'][];

export function encodeQuestion(question: Question): Buffer {
  const out = new BytesWriter();
  out.count(FORMAT);
  out.count(QUESTIONS.indexOf(question.kind));
  switch (question.kind) {
    case 'news':
      out.count(question.age);
      writeBatches(out, question.batches);
      break;
    case 'compare':
      out.count(question.root);
      break;
    case 'exchange':
      out.count(question.buckets.length);
      for (const bucket of question.buckets) out.count(bucket);
      writeBatches(out, question.batches);
  }
  return out.take();
}

/** @returns null: it is none, or of another format */
export function decodeQuestion(bytes: unknown): Question | null {
  const input = readerOf(bytes);
  if (input === null) return null;
  const question = readQuestion(input, QUESTIONS[input.count()]);
  return input.failed ? null : question;
}

export function encodeAnswer(answer: Answer): Buffer {
  const out = new BytesWriter();
  out.count(FORMAT);
  out.count(ANSWERS.indexOf(answer.kind));
  switch (answer.kind) {
    case 'taken':
      break;
    case 'same':
      writeReach(out, answer.reach);
      break;
    case 'buckets':
      writeReach(out, answer.reach);
      for (const { digest, bytes } of answer.buckets) {
        out.count(digest);
        out.count(bytes);
      }
      break;
    case 'batches':
      writeBatches(out, answer.batches);
  }
  return out.take();
}

/** @returns null: it is none, or of another format */
export function decodeAnswer(bytes: unknown): Answer | null {
  const input = readerOf(bytes);
  if (input === null) return null;
  const answer = readAnswer(input, ANSWERS[input.count()]);
  return input.failed ? null : answer;
}

function readerOf(bytes: unknown): BytesReader | null {
  if (!Buffer.isBuffer(bytes)) return null;
  const input = new BytesReader(bytes);
  return input.count() === FORMAT ? input : null;
}

function readQuestion(input: BytesReader, kind: Question['kind'] | undefined): Question | null {
  switch (kind) {
    case 'news': {
      const age = input.count();
      return { kind, age, batches: readBatches(input) };
    }
    case 'compare':
      return { kind, root: input.count() };
    case 'exchange': {
      const buckets: number[] = [];
      const count = input.count();
      for (let i = 0; i < count && !input.failed; i++) buckets.push(input.count());
      if (buckets.some((bucket) => bucket >= BUCKETS)) return null;
      return { kind, buckets, batches: readBatches(input) };
    }
    case undefined:
      return null;
  }
}

function readAnswer(input: BytesReader, kind: Answer['kind'] | undefined): Answer | null {
  switch (kind) {
    case 'taken':
      return { kind };
    case 'same':
      return { kind, reach: readReach(input) };
    case 'buckets': {
      const reach = readReach(input);
      const buckets: Bucket[] = [];
      for (let i = 0; i < BUCKETS; i++) {
        const digest = input.count();
        buckets.push({ digest, bytes: input.count() });
      }
      return { kind, reach, buckets };
    }
    case 'batches':
      return { kind, batches: readBatches(input) };
    case undefined:
      return null;
  }
}

function writeReach(out: BytesWriter, { forgotten, restored }: ToldReach): void {
  out.count(forgotten);
  out.count(restored === null ? 0 : restored.at);
  if (restored !== null) out.count(restored.until);
}

function readReach(input: BytesReader): ToldReach {
  const forgotten = input.count();
  const at = input.count();
  return { forgotten, restored: at === 0 ? null : { at, until: input.count() } };
}

function writeBatches(out: BytesWriter, batches: readonly Buffer[]): void {
  for (const batch of batches) out.bytes(batch);
}

function readBatches(input: BytesReader): Buffer[] {
  const batches: Buffer[] = [];
  while (!input.isAtEnd) batches.push(input.bytes());
  return batches;
}
