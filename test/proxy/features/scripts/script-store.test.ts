import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ScriptPeers, ScriptStore } from '../../../../src/proxy/features/scripts/script-store.js';

const digestOf = (body: string): string => createHash('sha1').update(body).digest('hex');

function note(store: ScriptStore, body: string): boolean {
  const frame = Buffer.from(`before${body}behind`);
  return store.note(frame, 6, 6 + Buffer.byteLength(body));
}

describe('a store of scripts', () => {
  it('finds each body by its digest, and knows what it has seen', () => {
    const store = new ScriptStore(1_000_000, null);
    const bodies = Array.from({ length: 1000 }, (_, i) => `return ${i}`);
    for (const body of bodies) expect(note(store, body)).toBe(true);
    for (const body of bodies) {
      expect(store.get(digestOf(body))?.toString()).toBe(body);
      expect(note(store, body)).toBe(false);
    }
    expect(store.get(digestOf('return 1000'))).toBeUndefined();
    store.flush();
    expect(store.get(digestOf('return 1'))).toBeUndefined();
    expect(note(store, 'return 1')).toBe(true);
  });

  it('keeps within its bytes: what was needed last stays', () => {
    const store = new ScriptStore(42_000, null);
    note(store, 'the first one');
    for (let i = 0; i < 5000; i++) {
      note(store, `return ${i} -- ${'x'.repeat(80)}`);
      expect(store.get(digestOf('the first one'))).toBeDefined();
    }
    expect(store.bytes).toBeLessThanOrEqual(42_000);
    expect(store.size).toBeGreaterThan(90);
    // One that was dropped can come again.
    expect(note(store, `return 0 -- ${'x'.repeat(80)}`)).toBe(true);
    expect(store.get(digestOf(`return 0 -- ${'x'.repeat(80)}`))).toBeDefined();
  });

  it('counts what a small body costs beside its bytes', () => {
    const store = new ScriptStore(1_000_000, null);
    for (let i = 0; i < 10_000; i++) note(store, `return ${i}`);
    expect(store.size).toBeLessThan(4000);
    expect(store.bytes).toBeLessThanOrEqual(1_000_000);
  });

  it('keeps none of the messages and chunks that bodies came in', () => {
    const store = new ScriptStore(1_000_000, null);
    const message = Buffer.alloc(60_000, 'x');
    message.write('return 1return 2');
    store.add(message.subarray(0, 8));
    store.note(message, 8, 16);
    for (const script of ['return 1', 'return 2']) {
      expect(store.get(digestOf(script))?.buffer.byteLength).toBe(8);
    }
  });

  it('does not take a body for which all others would have to go', () => {
    const store = new ScriptStore(1000, null);
    note(store, 'return 1');
    expect(note(store, 'x'.repeat(400))).toBe(false);
    expect(store.get(digestOf('return 1'))).toBeDefined();
  });

  it('asks its peers once for those who wait, and none of them twice', () => {
    const answers: ((body: Buffer | null) => void)[] = [];
    const learned: string[] = [];
    const peers: ScriptPeers = {
      learned: (body) => learned.push(body.toString()),
      ask: (_digest, onAnswer) => answers.push(onAnswer),
      flushed: () => {},
    };
    const store = new ScriptStore(1000, peers);
    const waiter = () => ({
      resumed: 0,
      resumeSoon() {
        this.resumed++;
      },
    });
    const [first, second, third] = [waiter(), waiter(), waiter()];
    const digest = digestOf('return 1');
    expect(store.ask(digest, first)).toBe(true);
    expect(store.ask(digest, second)).toBe(true);
    expect(answers).toHaveLength(1);
    answers[0]?.(null);
    expect([first.resumed, second.resumed]).toEqual([1, 1]);
    expect(store.ask(digest, first)).toBe(false);
    expect(store.ask(digest, third)).toBe(true);
    answers[1]?.(Buffer.from('return 1'));
    expect(third.resumed).toBe(1);
    expect(store.get(digest)?.toString()).toBe('return 1');
    // Only what clients have sent here is told.
    expect(learned).toEqual([]);
    note(store, 'return 2');
    expect(learned).toEqual(['return 2']);
  });
});
