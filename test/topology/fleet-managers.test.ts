/** Several ring managers on one store, in one process: who decides, what the others make of it, and every way in which that changes hands. */
import { describe, expect, it } from 'vitest';
import { RingproxyError } from '../../src/errors.js';
import type { PeerAsking, PeerReply } from '../../src/topology/coordinator/forwarding.js';
import type { FenceMember } from '../../src/topology/state/change-protocol.js';
import type { Claim, FleetMember, MoveRecord } from '../../src/topology/state/fleet.js';
import { LocalStore } from '../../src/topology/store/local-store.js';
import { COORDINATOR, type RingStore, type StoredRing } from '../../src/topology/store/ring-store.js';
import { atEnd } from '../support/cleanup.js';
import { ADD_C, type FakeMover, NODES, OPTIONS, type Stage, stageManager } from './manager-stage.js';

const YES: FenceMember = { acknowledged: true, why: '' };

/** One store that all share; a test says who is dead. */
class SharedStore extends LocalStore {
  readonly dead = new Set<string>();

  readonly #fenced = new Set<string>();

  override async members(): Promise<readonly FleetMember[]> {
    return (await super.members()).map((member) => ({
      ...member,
      alive: !this.dead.has(member.id),
      fencedOff: this.#fenced.has(member.id),
    }));
  }

  override fenceOff(id: string): Promise<boolean> {
    if (this.dead.has(id)) this.#fenced.add(id);
    return Promise.resolve(this.dead.has(id));
  }

  async claimOf(job: string): Promise<Claim> {
    const claim = (await this.claims()).find((held) => held.job === job);
    if (claim === undefined) throw new Error(`nobody has the job ${job}`);
    return claim;
  }
}

/** The shared store as one proxy sees it: what movers have told reaches it late, by its next claim at the latest. */
class LateNews {
  /** What it knows; null: all. */
  #known: readonly MoveRecord[] | null = null;
  claimed: string[] = [];
  readonly store: RingStore;

  constructor(store: SharedStore) {
    const own: Partial<RingStore> = {
      moves: async (change) => this.#known ?? (await store.moves(change)),
      claim: async (...asked) => {
        const claim = await store.claim(...asked);
        if (claim !== null) {
          this.claimed.push(claim.job);
          this.#known = null;
        }
        return claim;
      },
    };
    this.store = new Proxy<RingStore>(store, {
      get: (_store, name: keyof RingStore) => {
        const value = own[name] ?? store[name];
        return typeof value === 'function' ? value.bind(store) : value;
      },
    });
  }

  async stop(store: SharedStore, change: string): Promise<void> {
    this.#known = await store.moves(change);
  }
}

/** The proxies' calls of each other. */
class Wire implements PeerAsking {
  readonly stages = new Map<string, Stage>();
  /** Asked of whom, in order. */
  readonly asked: string[] = [];
  /** By member: what becomes of what it is asked. */
  readonly broken = new Map<string, 'unreachable' | 'timed out'>();

  async ask(member: string, _path: string, body: object): Promise<PeerReply> {
    this.asked.push(member);
    const kind = this.broken.get(member);
    if (kind !== undefined) return { ok: false, failure: { kind, message: `proxy ${member} is ${kind}`, error: null } };
    const { manager } = this.stages.get(member) ?? {};
    if (manager === undefined) throw new Error(`there is no ${member}`);
    try {
      return { ok: true, body: JSON.parse(JSON.stringify(await manager.answerPeer(JSON.parse(JSON.stringify(body))))) };
    } catch (error) {
      if (!(error instanceof RingproxyError)) throw error;
      const { code, message, hint } = error;
      return { ok: false, failure: { kind: 'own error', message, error: { code, message, hint } } };
    }
  }
}

class Fleet {
  readonly store = new SharedStore('p1', null);
  readonly wire = new Wire();

  static async of(...ids: readonly string[]): Promise<Fleet> {
    const fleet = new Fleet();
    await fleet.store.open();
    for (const id of ids) await fleet.join(id);
    return fleet;
  }

  async join(id: string, store: RingStore = this.store): Promise<Stage> {
    const stage = stageManager(id, store, this.wire);
    this.wire.stages.set(id, stage);
    atEnd(() => stage.manager.close());
    await stage.manager.bootstrap(NODES, OPTIONS);
    return stage;
  }

  stage(id: string): Stage {
    const stage = this.wire.stages.get(id);
    if (stage === undefined) throw new Error(`there is no ${id}`);
    return stage;
  }

  get all(): Stage[] {
    return [...this.wire.stages.values()];
  }

  phases(): string[] {
    return this.all.map(({ manager }) => `${manager.generation} ${manager.view().phase}`);
  }

  movers(): FakeMover[] {
    return this.all.flatMap(({ movers }) => movers).filter(({ isStopped }) => !isStopped);
  }

  /** Keys move, and each source has a mover. */
  async moving(...sources: readonly string[]): Promise<FakeMover[]> {
    await expect
      .poll(() =>
        this.movers()
          .map(({ source }) => source)
          .sort(),
      )
      .toEqual(sources);
    return this.movers();
  }
}

function gate<T>(): { promise: Promise<T>; open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('a request', () => {
  it('is carried out by the one that decides, wherever it is made, and its answer comes back', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    expect((await fleet.store.claimOf(COORDINATOR)).holder).toBe('p1');
    expect(await fleet.stage('p2').manager.change(ADD_C)).toMatchObject({ generation: 2, dryRun: false });
    await expect.poll(() => fleet.phases()).toEqual(['1 moving', '1 moving', '1 moving']);
    const movers = await fleet.moving('a', 'b');
    await fleet.stage('p3').manager.pause();
    await expect.poll(() => movers.map(({ paused }) => paused)).toEqual([true, true]);
    await fleet.stage('p2').manager.resume();
    await expect.poll(() => movers.map(({ paused }) => paused)).toEqual([false, false]);
    for (const mover of movers) await mover.swept();
    await expect.poll(() => fleet.phases()).toEqual(['2 stable', '2 stable', '2 stable']);
    await expect.poll(() => fleet.stage('p3').manager.history()).toHaveLength(2);
    expect((await fleet.stage('p3').manager.history())[1]).toMatchObject({ kind: 'add', by: 'p2' });
  });

  it('that is refused is refused with the code and the hint, and who is at it', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    const fence = gate<FenceMember[]>();
    fleet.stage('p1').answers.fence = () => fence.promise;
    const first = fleet.stage('p3').manager.change(ADD_C);
    await expect.poll(() => fleet.stage('p2').manager.view().phase).toBe('preparing');
    await expect(fleet.stage('p2').manager.change(ADD_C)).rejects.toMatchObject({
      code: 'CHANGE_RUNNING',
      message: 'another change is under way: add c (asked for at the proxy p3)',
    });
    await expect(fleet.stage('p2').manager.pause()).rejects.toMatchObject({ code: 'CHANGE_PREPARING' });
    fence.open([YES]);
    await first;
  });

  it('of two at the same instant at two proxies one wins, and the other says who', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    const [one, two] = await Promise.allSettled([
      fleet.stage('p2').manager.change(ADD_C),
      fleet.stage('p3').manager.change(ADD_C),
    ]);
    expect(one.status).toBe('fulfilled');
    expect(two).toMatchObject({
      status: 'rejected',
      reason: { code: 'CHANGE_RUNNING', message: expect.stringContaining('asked for at the proxy p2') },
    });
  });

  it.each([
    ['unreachable', 'NO_COORDINATOR', /the proxy p1 \(http:\/\/p1\) decides about the ring, and cannot be asked/],
    [
      'timed out',
      'OUTCOME_UNKNOWN',
      /the proxy p1 \(http:\/\/p1\) decides about the ring, and has not answered: it may have done/,
    ],
  ] as const)('for one that is %s is refused with what is known of it', async (kind, code, message) => {
    const fleet = await Fleet.of('p1', 'p2');
    fleet.wire.broken.set('p1', kind);
    await expect(fleet.stage('p2').manager.change(ADD_C)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    // What has not come to anybody is asked again, in case another one decides by then; what may have is not.
    if (kind === 'timed out') expect(fleet.wire.asked).toEqual(['p1']);
    expect(fleet.phases()).toEqual(['1 stable', '1 stable']);
    // What changes nothing is answered by anybody.
    expect(await fleet.stage('p2').manager.change({ ...ADD_C, dryRun: true })).toMatchObject({ dryRun: true });
  });

  it('that comes to one that does not decide is refused, and nothing is done', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    const body = { by: 'p1', request: { kind: 'change', change: ADD_C } };
    await expect(fleet.stage('p2').manager.answerPeer(body)).rejects.toMatchObject({ code: 'NOT_COORDINATOR' });
    await expect(fleet.stage('p1').manager.answerPeer({ what: 1 })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(fleet.phases()).toEqual(['1 stable', '1 stable']);
  });
});

describe('a coordinator whose claim passes on', () => {
  /** As when its lease runs out; `p2` has it then. */
  async function depose(fleet: Fleet): Promise<void> {
    await fleet.store.release(await fleet.store.claimOf(COORDINATOR));
    await fleet.store.claim(COORDINATOR, 'p2', 'quick');
    await expect.poll(async () => (await fleet.store.claimOf(COORDINATOR)).holder).toBe('p2');
  }

  it('in the middle of a fence says who decides now, who gives it up: nobody is held', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    fleet.stage('p3').answers.fence = () => new Promise(() => {});
    const changing = fleet.stage('p1').manager.change(ADD_C);
    changing.catch(() => {});
    await expect.poll(() => fleet.phases()).toEqual(['1 preparing', '1 preparing', '1 preparing']);
    await depose(fleet);
    await expect(changing).rejects.toMatchObject({
      code: 'COORDINATOR_LOST',
      message: expect.stringContaining('the proxy p2 gives it up'),
    });
    await expect.poll(() => fleet.phases()).toEqual(['1 stable', '1 stable', '1 stable']);
    fleet.stage('p3').answers.fence = () => Promise.resolve([YES]);
    expect(await fleet.stage('p1').manager.change(ADD_C)).toMatchObject({ generation: 2 });
  });

  it('while keys move leaves them moving, and the next one ends the change', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    await fleet.stage('p1').manager.change(ADD_C);
    const movers = await fleet.moving('a', 'b');
    await depose(fleet);
    for (const mover of movers) await mover.swept();
    await expect.poll(() => fleet.phases()).toEqual(['2 stable', '2 stable', '2 stable']);
    expect((await fleet.store.history()).map(({ kind }) => kind)).toEqual(['bootstrap', 'add']);
  });

  it('while it turns a change round leaves it going on, and movers do not hold still any more', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    await fleet.stage('p1').manager.change(ADD_C);
    const movers = await fleet.moving('a', 'b');
    fleet.stage('p3').answers.fence = () => new Promise(() => {});
    const cancelling = fleet.stage('p3').manager.cancel();
    cancelling.catch(() => {});
    await expect.poll(async () => (await fleet.store.load())?.state.change?.phase).toBe('turning');
    await depose(fleet);
    await expect(cancelling).rejects.toMatchObject({ code: 'COORDINATOR_LOST' });
    await expect
      .poll(async () => (await fleet.store.load())?.state.change)
      .toMatchObject({ phase: 'moving', kind: 'add' });
    expect((await fleet.store.load())?.state.change?.still).toBeUndefined();
    await expect.poll(() => movers.map(({ held }) => held)).toEqual([null, null]);
  });
});

describe('a cancel', () => {
  it('waits until moves hold still at every proxy, and turns round nothing otherwise', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    await fleet.stage('p1').manager.change(ADD_C);
    const movers = await fleet.moving('a', 'b');
    const [one] = movers;
    if (one === undefined) throw new Error('there is no mover');
    one.holds = false;
    await expect(fleet.stage('p2').manager.cancel()).rejects.toMatchObject({
      code: 'FENCE_TIMEOUT',
      message: expect.stringMatching(/goes on as before.*\(at the proxy p\d/),
    });
    await expect.poll(() => movers.map(({ held }) => held)).toEqual([null, null]);
    expect(fleet.phases()).toEqual(['1 moving', '1 moving', '1 moving']);
    one.holds = true;
    await fleet.stage('p2').manager.cancel();
    await expect.poll(() => fleet.phases()).toEqual(['2 moving', '2 moving', '2 moving']);
    for (const mover of await fleet.moving('c')) await mover.swept();
    await expect.poll(() => fleet.phases()).toEqual(['3 stable', '3 stable', '3 stable']);
  });
});

describe('a mover whose claim is lost', () => {
  /** Its proxy has it no more, and another one moves the keys of `a`. */
  async function losing(
    fleet: Fleet,
    prepare: (mover: FakeMover) => void,
  ): Promise<{ mover: FakeMover; proxy: Stage }> {
    await fleet.stage('p1').manager.change(ADD_C);
    const movers = await fleet.moving('a', 'b');
    const mover = movers.find(({ source }) => source === 'a');
    const proxy = fleet.all.find((stage) => mover !== undefined && stage.movers.includes(mover));
    if (mover === undefined || proxy === undefined) throw new Error('nobody moves the keys of a');
    prepare(mover);
    await fleet.store.release(await fleet.store.claimOf('mover/a'));
    await fleet.moving('a', 'b');
    expect(mover.isStopped).toBe(true);
    return { mover, proxy };
  }

  it('has keys under way yet: the change is not turned round before they have arrived', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    const arrived = gate<void>();
    await losing(fleet, (mover) => {
      mover.stopping = arrived.promise;
    });
    const cancelling = fleet.stage('p2').manager.cancel();
    const stored = async (): Promise<StoredRing> => (await fleet.store.load()) as StoredRing;
    await expect.poll(async () => (await stored()).state.change?.still).toBe(true);
    const { revision } = await stored();
    // The others hold still.
    await expect
      .poll(
        async () => (await fleet.store.members()).filter(({ answer }) => (answer?.revision ?? 0) >= revision).length,
      )
      .toBe(2);
    await new Promise(setImmediate);
    expect((await stored()).revision).toBe(revision);
    arrived.open();
    await cancelling;
    await expect.poll(() => fleet.phases()).toEqual(['2 moving', '2 moving', '2 moving']);
  });

  it('has left commands at nodes: they are dropped before the change is turned round', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    const { mover, proxy } = await losing(fleet, (lost) => {
      lost.leavesLate = true;
    });
    proxy.calls.length = 0;
    proxy.answers.killEarlierMovers = () => Promise.reject(new Error('c does not answer'));
    const { manager } = fleet.stage('p2');
    await expect(manager.cancel()).rejects.toMatchObject({ message: expect.stringContaining('c does not answer') });
    expect(fleet.phases()).toEqual(['1 moving', '1 moving', '1 moving']);
    proxy.answers.killEarlierMovers = () => Promise.resolve();
    proxy.calls.length = 0;
    await manager.cancel();
    expect(proxy.calls.filter((call) => call === `kill movers of ${mover.source}`)).toHaveLength(3);
    await expect.poll(() => fleet.phases()).toEqual(['2 moving', '2 moving', '2 moving']);
  });
});

it('a source that was swept is not swept again by a proxy that has claimed it before it knew', async () => {
  const fleet = await Fleet.of();
  const news = new Map(['p1', 'p2'].map((id) => [id, new LateNews(fleet.store)]));
  for (const [id, { store }] of news) await fleet.join(id, store);
  await fleet.stage('p1').manager.change(ADD_C);
  const [mover] = (await fleet.moving('a', 'b')).filter(({ source }) => source === 'a');
  const change = (await fleet.store.load())?.state.change?.id ?? '';
  const { holder } = await fleet.store.claimOf('mover/a');
  const other = holder === 'p1' ? 'p2' : 'p1';
  const late = news.get(other);
  if (late === undefined) throw new Error(`there is no ${other}`);
  await late.stop(fleet.store, change);
  late.claimed = [];
  expect(await mover?.swept()).toBe(true);
  await expect.poll(() => late.claimed).toEqual(['mover/a']);
  await expect.poll(async () => (await fleet.store.claims()).map(({ job }) => job)).not.toContain('mover/a');
  expect(fleet.stage(other).movers.filter(({ source }) => source === 'a')).toEqual([]);
  expect((await fleet.store.moves(change)).find(({ source }) => source === 'a')?.swept).toBe(true);
  for (const rest of fleet.movers()) await rest.swept();
  await expect.poll(() => fleet.phases()).toEqual(['2 stable', '2 stable']);
});

describe('a member', () => {
  it('that joins while a fence stands is waited for, too', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    const fence = gate<FenceMember[]>();
    fleet.stage('p2').answers.fence = () => fence.promise;
    const changing = fleet.stage('p1').manager.change(ADD_C);
    await expect.poll(() => fleet.stage('p2').calls).toContain('fence');
    const joiner = await fleet.join('p3');
    expect(joiner.snapshots[0]?.phase).toBe('preparing');
    fence.open([YES]);
    await changing;
    expect(joiner.calls).toContain('fence');
    await expect.poll(() => fleet.phases()).toEqual(['1 moving', '1 moving', '1 moving']);
  });

  it('that is dead is passed over before anybody is held, in the order that does no harm', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    fleet.store.dead.add('p3');
    fleet.stage('p3').answers.fence = () => new Promise(() => {});
    const p1 = fleet.stage('p1');
    p1.calls.length = 0;
    expect(await fleet.stage('p2').manager.change(ADD_C)).toMatchObject({ generation: 2 });
    expect(p1.calls.slice(0, 3)).toEqual(['kill p3', 'kill p3', 'publish preparing']);
    expect((await fleet.store.members()).map(({ id }) => id)).toEqual(['p1', 'p2']);
    expect(p1.warnings).toEqual([expect.stringMatching(/^the proxy p3 \(http:\/\/p3\), whose lease ran out/)]);
  });

  it('whose node does not drop it keeps the ring as it is: the change says for whom it would have to wait', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    fleet.store.dead.add('p3');
    fleet.stage('p1').answers.killPredecessors = () => Promise.reject(new Error('a forbids CLIENT KILL'));
    await expect(fleet.stage('p2').manager.change(ADD_C)).rejects.toMatchObject({
      code: 'PROXY_GONE',
      message: expect.stringMatching(/^the proxy p3 .* has to agree, and cannot: .*a forbids CLIENT KILL/),
    });
    expect(fleet.stage('p1').calls).not.toContain('publish preparing');
  });

  it('can be forgotten when it is dead, and only then', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    const { manager } = fleet.stage('p2');
    await expect(manager.forget('p3')).rejects.toMatchObject({ code: 'PROXY_ALIVE' });
    await expect(manager.forget('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_PROXY' });
    fleet.store.dead.add('p3');
    await manager.forget('p3');
    expect((await fleet.store.members()).map(({ id }) => id)).toEqual(['p1', 'p2']);
    expect(fleet.stage('p1').calls).toContain('kill p3');
  });
});
