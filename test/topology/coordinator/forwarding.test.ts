/** What is asked at any proxy reaches the one that decides, also while one dies and the next one takes over. */
import { describe, expect, it } from 'vitest';
import { RingproxyError } from '../../../src/errors.js';
import { DEFAULT_RING_OPTIONS } from '../../../src/ring/ring.js';
import type { Timers } from '../../../src/time/timers.js';
import { type PeerReply, RequestForwarding } from '../../../src/topology/coordinator/forwarding.js';
import type { RingAnswer } from '../../../src/topology/coordinator/ring-requests.js';
import { firstState } from '../../../src/topology/state/ring-state.js';
import { COORDINATOR, type StoreEvent } from '../../../src/topology/store/ring-store.js';

const STATE = firstState([{ name: 'n', address: '127.0.0.1:1', weight: 1 }], DEFAULT_RING_OPTIONS);
const DONE: RingAnswer = { revision: 7, accepted: null };

/** What the proxies answer that are asked, in this order; the one that decides changes with `deciding`. */
class Stage {
  deciding = 'a';
  readonly asked: string[] = [];
  readonly replies: Record<string, () => PeerReply | Promise<PeerReply>> = {};
  readonly listeners = new Set<(event: StoreEvent) => void>();
  recorded: number | null = 1;
  now = 0;

  /** Time flies: what is waited for is over at once. */
  readonly #timers: Pick<Timers, 'now' | 'after'> = {
    now: () => this.now,
    after: (milliseconds, callback) => {
      let isOver = false;
      setImmediate(() => {
        if (isOver) return;
        this.now += milliseconds;
        callback();
      });
      return () => {
        isOver = true;
      };
    },
  };

  readonly forwarding = new RequestForwarding(
    {
      memberId: () => 'self',
      store: {
        claims: async () => [
          {
            job: COORDINATOR,
            holder: this.deciding,
            revision: this.deciding.charCodeAt(0),
            since: '2026-01-01T00:00:00Z',
          },
        ],
        members: async () => [],
        isReachable: true,
        load: async () => (this.recorded === null ? null : { revision: this.recorded, state: STATE }),
        watch: (listener) => {
          this.listeners.add(listener);
          return () => this.listeners.delete(listener);
        },
      },
      peers: {
        ask: async (member) => {
          this.asked.push(member);
          return this.replies[member]?.() ?? refusal('unreachable');
        },
      },
      own: { carryOut: async () => DONE },
    },
    this.#timers,
  );
}

function refusal(kind: string, code: string | null = null): PeerReply {
  const error = code === null ? null : { code, message: code, hint: 'h' };
  return { ok: false, failure: { kind, message: kind, error } };
}

describe('a request', () => {
  it('is carried out here where this proxy decides', async () => {
    const stage = new Stage();
    stage.deciding = 'self';
    expect(await stage.forwarding.carryOut({ kind: 'pause' }, 'self')).toEqual(DONE);
    expect(stage.asked).toEqual([]);
  });

  // Symptom: within three seconds of the death of the one that decides, every other one answered NO_COORDINATOR.
  it.each([
    ['is gone', refusal('unreachable')],
    ['is gone, and another one has its port', refusal('other proxy', 'PEER_OTHER')],
    ['does not decide any more', refusal('own error', 'NOT_COORDINATOR')],
  ])('waits for the next one when the one that decides %s', async (_what, reply) => {
    const stage = new Stage();
    stage.replies.a = () => {
      if (stage.asked.length === 3) stage.deciding = 'b';
      return reply;
    };
    stage.replies.b = () => ({ ok: true, body: DONE });
    expect(await stage.forwarding.carryOut({ kind: 'pause' }, 'self')).toEqual(DONE);
    expect(stage.asked).toEqual(['a', 'a', 'a', 'b']);
  });

  it('says that nobody can be asked when no next one comes', async () => {
    const stage = new Stage();
    await expect(stage.forwarding.carryOut({ kind: 'pause' }, 'self')).rejects.toMatchObject({
      code: 'NO_COORDINATOR',
    });
    expect(stage.now).toBeGreaterThanOrEqual(5000);
  });

  // It may have been carried out: whoever asked decides whether to ask again.
  it.each(['lost', 'timed out'])('is not repeated when its answer was %s', async (kind) => {
    const stage = new Stage();
    stage.replies.a = () => refusal(kind);
    await expect(stage.forwarding.carryOut({ kind: 'pause' }, 'self')).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    expect(stage.asked).toEqual(['a']);
  });

  /*
   * Symptom: a coordinator that stood still was waited for for 110 seconds, although another one decided after 3. Cause:
   * nobody looked whose answer it was.
   */
  it('goes to the next one as soon as it decides, when the one that was asked stands still and has recorded nothing', async () => {
    const stage = new Stage();
    stage.replies.a = () => {
      setImmediate(() => {
        stage.deciding = 'b';
        for (const listener of stage.listeners) listener({ kind: 'claims', revision: 9 });
      });
      return new Promise(() => {});
    };
    stage.replies.b = () => ({ ok: true, body: DONE });
    expect(await stage.forwarding.carryOut({ kind: 'pause' }, 'self')).toEqual(DONE);
    expect(stage.asked).toEqual(['a', 'b']);
    expect(stage.listeners.size).toBe(0);
  });

  it('is not repeated when that one may have recorded it', async () => {
    const stage = new Stage();
    stage.replies.a = () => {
      setImmediate(() => {
        stage.deciding = 'b';
        stage.recorded = 2;
        for (const listener of stage.listeners) listener({ kind: 'claims', revision: 9 });
      });
      return new Promise(() => {});
    };
    await expect(stage.forwarding.carryOut({ kind: 'pause' }, 'self')).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    expect(stage.asked).toEqual(['a']);
  });

  it('is refused as the one that decides refuses it', async () => {
    const stage = new Stage();
    stage.replies.a = () => refusal('own error', 'CHANGE_RUNNING');
    const refused: unknown = await stage.forwarding
      .carryOut({ kind: 'pause' }, 'self')
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RingproxyError);
    expect(refused).toMatchObject({ code: 'CHANGE_RUNNING', hint: 'h' });
    expect(stage.asked).toEqual(['a']);
  });
});
