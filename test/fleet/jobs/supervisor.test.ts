/** A job is done by exactly one live member, and by whom is decided without asking each other. */
import { describe, expect, it } from 'vitest';
import type { Duty, Job } from '../../../src/fleet/jobs/job.js';
import { STEADY_MS, TURN_MS } from '../../../src/fleet/jobs/placement.js';
import { rankFor } from '../../../src/fleet/jobs/rendezvous.js';
import { JobSupervisor } from '../../../src/fleet/jobs/supervisor.js';
import type { Claim, FleetMember } from '../../../src/topology/state/fleet.js';
import { firstState } from '../../../src/topology/state/ring-state.js';
import { LocalStore } from '../../../src/topology/store/local-store.js';
import { COORDINATOR } from '../../../src/topology/store/ring-store.js';
import { atEnd } from '../../support/cleanup.js';
import { ManualTimers } from '../../support/manual-timers.js';

const INFO = { admin: '', version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };

/** One store that several proxies share; leases run out, and it is out of reach, when a test says so. */
class SharedStore extends LocalStore {
  readonly dead = new Set<string>();
  isAway = false;
  override isReachable = true;
  claimsAsked = 0;

  constructor() {
    super('p1', null);
  }

  override async members(): Promise<readonly FleetMember[]> {
    if (this.isAway) throw new Error('etcd does not answer');
    return (await super.members()).map((member) => ({ ...member, alive: !this.dead.has(member.id) }));
  }

  override claim(...asked: Parameters<LocalStore['claim']>): Promise<Claim | null> {
    this.claimsAsked++;
    return super.claim(...asked);
  }

  /** As the store does when a lease has run out. */
  async loseClaim(job: string): Promise<void> {
    const claim = (await this.claims()).find((held) => held.job === job);
    if (claim !== undefined) await this.release(claim);
  }

  async join(...ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.register(id, INFO, (await this.load())?.revision ?? -1);
  }

  async leave(id: string): Promise<void> {
    for (const claim of await this.claims()) if (claim.holder === id) await this.release(claim);
    await this.deregister([id]);
  }
}

/** A job that tells what becomes of it. */
class Told implements Job {
  readonly name: string;
  readonly pace = 'quick';
  readonly stays: boolean;
  readonly duties: Duty[] = [];
  running = 0;
  /** Holds its end up. */
  ending: Promise<void> = Promise.resolve();
  failure: Error | null = null;

  constructor(name: string, stays = false) {
    this.name = name;
    this.stays = stays;
  }

  async run(duty: Duty): Promise<void> {
    this.duties.push(duty);
    if (this.failure !== null) throw this.failure;
    this.running++;
    await new Promise<void>((resolve) => duty.signal.addEventListener('abort', () => resolve()));
    await this.ending;
    this.running--;
  }

  get last(): Duty {
    const duty = this.duties.at(-1);
    if (duty === undefined) throw new Error('it was never done');
    return duty;
  }
}

interface Proxy {
  readonly jobs: JobSupervisor;
  readonly warnings: string[];
}

class Fleet {
  readonly store = new SharedStore();
  readonly timers = new ManualTimers();

  static async of(...ids: readonly string[]): Promise<Fleet> {
    const fleet = new Fleet();
    const claim = await fleet.store.claim(COORDINATOR, 'p1', 'quick');
    if (claim === null) throw new Error('refused');
    const options = {
      hash: 'murmur3',
      distribution: 'ketama',
      hashTag: '',
      vnodes: 160,
      weighting: 'own',
    } as const;
    await fleet.store.compareAndSave(
      null,
      firstState([{ name: 'a', address: '127.0.0.1:1', weight: 1 }], options),
      claim,
    );
    await fleet.store.release(claim);
    await fleet.store.join(...ids);
    return fleet;
  }

  proxy(id: string): Proxy {
    const warnings: string[] = [];
    const ports = { memberId: () => id, store: this.store, warn: (message: string) => void warnings.push(message) };
    const jobs = new JobSupervisor(ports, this.timers, () => 0.5);
    atEnd(() => jobs.close());
    return { jobs, warnings };
  }

  /** Lets time pass, and everybody do what falls due. */
  async pass(milliseconds: number): Promise<void> {
    await turn();
    for (let passed = 0; passed < milliseconds; passed += 100) {
      this.timers.advance(100);
      await turn();
    }
  }
}

async function turn(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

/** A job's name whose first member is this one. */
function jobOf(first: string, ...members: readonly string[]): string {
  for (let i = 0; ; i++) if (rankFor(`job${i}`, members)[0] === first) return `job${i}`;
}

describe('a job', () => {
  it('is done by one of two, by the one that hashing names, however they start', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    const name = jobOf('p2', 'p1', 'p2');
    const [first, second] = [new Told(name), new Told(name)];
    const [p1, p2] = [fleet.proxy('p1'), fleet.proxy('p2')];
    p1.jobs.add(first);
    p2.jobs.add(second);
    await Promise.all([p1.jobs.start(), p2.jobs.start()]);
    await fleet.pass(5000);
    expect([first.running, second.running]).toEqual([0, 1]);
    expect(p1.jobs.views).toEqual([{ job: name, holder: 'p2', since: second.last.claim.since }]);
    expect(p1.jobs.holderOf(name)).toBe('p2');
  });

  it('is done by the next one where the first does not know it, and then stays there', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    const job = new Told(jobOf('p2', 'p1', 'p2'));
    const p1 = fleet.proxy('p1');
    await fleet.proxy('p2').jobs.start();
    p1.jobs.add(job);
    await p1.jobs.start();
    await fleet.pass(TURN_MS - 100);
    expect(job.running).toBe(0);
    await fleet.pass(200);
    expect(job.running).toBe(1);
    // It is offered once.
    await fleet.pass(60_000);
    expect(job.running).toBe(1);
    expect(job.duties.length).toBeLessThanOrEqual(2);
  });

  it('passes on when its holder is gone', async () => {
    const fleet = await Fleet.of('p1', 'p2', 'p3');
    const name = jobOf('p2', 'p1', 'p2', 'p3');
    const job = new Told(name, true);
    const [p1, p3] = [fleet.proxy('p1'), fleet.proxy('p3')];
    await fleet.store.claim(name, 'p2', 'quick');
    const other = new Told(name, true);
    p1.jobs.add(job);
    p3.jobs.add(other);
    await Promise.all([p1.jobs.start(), p3.jobs.start()]);
    await fleet.pass(10_000);
    expect([job.running, other.running]).toEqual([0, 0]);
    // Its quick claim lapses before its lease.
    await fleet.store.loseClaim(name);
    await fleet.pass(2 * TURN_MS + 100);
    expect(job.running + other.running).toBe(1);
  });

  it('moves to a member that comes, when what is under way has ended', async () => {
    const fleet = await Fleet.of('p1');
    const name = jobOf('p2', 'p1', 'p2');
    const [before, after] = [new Told(name), new Told(name)];
    const [p1, p2] = [fleet.proxy('p1'), fleet.proxy('p2')];
    p1.jobs.add(before);
    await p1.jobs.start();
    expect(before.running).toBe(1);
    let finish = (): void => {};
    before.ending = new Promise((resolve) => {
      finish = resolve;
    });
    await fleet.store.join('p2');
    p2.jobs.add(after);
    await p2.jobs.start();
    await fleet.pass(STEADY_MS - 200);
    expect(before.last.signal.aborted).toBe(false);
    await fleet.pass(1000);
    expect(before.last.signal.reason).toBe('handed over');
    await fleet.pass(5000);
    expect([before.running, after.running]).toEqual([1, 0]);
    finish();
    await fleet.pass(100);
    expect([before.running, after.running]).toEqual([0, 1]);
    expect(after.last.claim.revision).toBeGreaterThan(before.last.claim.revision);
  });

  it('that stays is left where it is when members come', async () => {
    const fleet = await Fleet.of('p1');
    const name = jobOf('p2', 'p1', 'p2');
    const job = new Told(name, true);
    const [p1, p2] = [fleet.proxy('p1'), fleet.proxy('p2')];
    p1.jobs.add(job);
    await p1.jobs.start();
    await fleet.store.join('p2');
    p2.jobs.add(new Told(name, true));
    await p2.jobs.start();
    await fleet.pass(60_000);
    expect(job.duties).toHaveLength(1);
    expect(job.running).toBe(1);
  });

  it('is ended at once where its claim is lost, and not begun anew before that is done', async () => {
    const fleet = await Fleet.of('p1');
    const job = new Told('job');
    const { jobs } = fleet.proxy('p1');
    jobs.add(job);
    await jobs.start();
    let finish = (): void => {};
    job.ending = new Promise((resolve) => {
      finish = resolve;
    });
    const { claim, signal } = job.last;
    await fleet.store.loseClaim('job');
    await turn();
    expect([signal.aborted, signal.reason]).toEqual([true, 'lost']);
    await fleet.pass(5000);
    expect(job.duties).toHaveLength(1);
    finish();
    await fleet.pass(200);
    expect(job.duties).toHaveLength(2);
    expect(job.last.claim.revision).toBeGreaterThan(claim.revision);
  });

  it('is ended where another one has claimed it meanwhile', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    const job = new Told(jobOf('p1', 'p1', 'p2'));
    const { jobs } = fleet.proxy('p1');
    jobs.add(job);
    await jobs.start();
    await fleet.store.loseClaim(job.name);
    const other = await fleet.store.claim(job.name, 'p2', 'quick');
    expect(other).not.toBeNull();
    await fleet.pass(1000);
    expect(job.last.signal.reason).toBe('lost');
    expect([job.running, jobs.holderOf(job.name)]).toEqual([0, 'p2']);
  });

  it('is begun again with growing pauses when it throws, and says why', async () => {
    const fleet = await Fleet.of('p1');
    const job = new Told('job');
    job.failure = new Error('no node answers');
    const { jobs, warnings } = fleet.proxy('p1');
    jobs.add(job);
    await jobs.start();
    await fleet.pass(3000);
    const soon = job.duties.length;
    expect(soon).toBeGreaterThan(3);
    expect(soon).toBeLessThan(8);
    await fleet.pass(60_000);
    expect(job.duties.length - soon).toBeLessThan(8);
    expect(warnings[0]).toBe('the job job has failed, and is begun again: no node answers');
    job.failure = null;
    await fleet.pass(31_000);
    expect(job.running).toBe(1);
  });

  it('that fails at its first member is done by another one', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    const name = jobOf('p1', 'p1', 'p2');
    const [failing, other] = [new Told(name), new Told(name)];
    failing.failure = new Error('no node answers');
    const [p1, p2] = [fleet.proxy('p1'), fleet.proxy('p2')];
    p1.jobs.add(failing);
    p2.jobs.add(other);
    await Promise.all([p1.jobs.start(), p2.jobs.start()]);
    await fleet.pass(20_000);
    expect(other.running).toBe(1);
  });

  it('is not claimed by one that is fenced off', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    fleet.store.dead.add('p1');
    const job = new Told(jobOf('p1', 'p1', 'p2'));
    const { jobs } = fleet.proxy('p1');
    jobs.add(job);
    await jobs.start();
    await fleet.pass(10_000);
    expect(job.duties).toEqual([]);
    expect(fleet.store.claimsAsked).toBe(1);
  });

  it('goes on while the store is out of reach; that is said once', async () => {
    const fleet = await Fleet.of('p1');
    const job = new Told('job');
    const { jobs, warnings } = fleet.proxy('p1');
    jobs.add(job);
    await jobs.start();
    fleet.store.isAway = true;
    await fleet.store.join('p2');
    await fleet.pass(10_000);
    expect(warnings).toEqual(['jobs stay where they are: etcd does not answer']);
    expect(job.running).toBe(1);
    fleet.store.isAway = false;
    await fleet.pass(2000);
    expect(job.running).toBe(1);
  });

  it('goes on while it cannot be told whether its claim still holds, until another one is known to have it', async () => {
    const fleet = await Fleet.of('p1', 'p2');
    const job = new Told(jobOf('p1', 'p1', 'p2'));
    const { jobs } = fleet.proxy('p1');
    jobs.add(job);
    await jobs.start();
    fleet.store.isReachable = false;
    await fleet.store.loseClaim(job.name);
    await fleet.pass(10_000);
    expect([job.running, job.duties.length]).toEqual([1, 1]);
    await fleet.store.claim(job.name, 'p2', 'quick');
    await fleet.pass(100);
    expect([job.running, job.last.signal.reason]).toEqual([0, 'lost']);
  });

  it('is over and let go when it is withdrawn, or its proxy ends', async () => {
    const fleet = await Fleet.of('p1');
    const [one, two] = [new Told('one'), new Told('two')];
    const { jobs } = fleet.proxy('p1');
    const withdraw = jobs.add(one);
    jobs.add(two);
    await jobs.start();
    await withdraw();
    expect([one.running, two.running, one.last.signal.reason]).toEqual([0, 1, 'withdrawn']);
    await turn();
    expect((await fleet.store.claims()).map(({ job }) => job)).toEqual(['two']);
    await jobs.close();
    expect(two.running).toBe(0);
    expect(await fleet.store.claims()).toEqual([]);
    expect(fleet.timers.pending).toBe(0);
    jobs.add(new Told('three'));
    await fleet.pass(1000);
    expect(await fleet.store.claims()).toEqual([]);
  });

  it('is not claimed as long as an earlier one of its name, which was withdrawn, has not ended here', async () => {
    const fleet = await Fleet.of('p1');
    const [earlier, later] = [new Told('job'), new Told('job')];
    let end = (): void => {};
    earlier.ending = new Promise((resolve) => {
      end = resolve;
    });
    const { jobs } = fleet.proxy('p1');
    const withdraw = jobs.add(earlier);
    await jobs.start();
    const withdrawn = withdraw();
    jobs.add(later);
    await fleet.pass(5000);
    // What the earlier one does yet, it does by a claim that holds.
    expect(await fleet.store.claims()).toEqual([earlier.last.claim]);
    expect([earlier.running, later.running]).toEqual([1, 0]);
    end();
    await withdrawn;
    await fleet.pass(100);
    expect([earlier.running, later.running]).toEqual([0, 1]);
    expect(await fleet.store.claims()).toEqual([later.last.claim]);
  });

  it('is claimed anew where a claim of this proxy is left that nothing does', async () => {
    const fleet = await Fleet.of('p1');
    const old = await fleet.store.claim('job', 'p1', 'quick');
    const job = new Told('job');
    const { jobs } = fleet.proxy('p1');
    jobs.add(job);
    await jobs.start();
    expect(job.last.claim.revision).toBeGreaterThan(old?.revision ?? Number.POSITIVE_INFINITY);
  });
});

describe('jobs of a fleet', () => {
  it('are spread over its members, and few move when one comes', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `mover/node${i}`);
    const five = ['a', 'b', 'c', 'd', 'e'];
    const firsts = (members: readonly string[]): (string | undefined)[] =>
      names.map((name) => rankFor(name, members)[0]);
    const before = firsts(five);
    for (const member of five) {
      const share = before.filter((first) => first === member).length;
      expect(share).toBeGreaterThan(140);
      expect(share).toBeLessThan(260);
    }
    const after = firsts([...five, 'f']);
    const moved = after.filter((first, i) => first !== before[i]);
    expect(new Set(moved)).toEqual(new Set(['f']));
    expect(moved.length).toBeLessThan(230);
  });

  it('are each done by one alone, whoever comes and goes', async () => {
    const ids = ['p1', 'p2', 'p3', 'p4'];
    const fleet = await Fleet.of('p1', 'p2');
    const names = Array.from({ length: 12 }, (_, i) => `job${i}`);
    const proxies = new Map(ids.map((id) => [id, fleet.proxy(id)]));
    const jobs = new Map(ids.map((id) => [id, names.map((name) => new Told(name))]));
    for (const [id, { jobs: supervisor }] of proxies) for (const job of jobs.get(id) ?? []) supervisor.add(job);
    const running = (): number[] =>
      names.map((_, i) => ids.reduce((sum, id) => sum + (jobs.get(id)?.[i]?.running ?? 0), 0));
    for (const id of ['p1', 'p2']) await proxies.get(id)?.jobs.start();
    const steps = [
      () => fleet.store.join('p3').then(() => proxies.get('p3')?.jobs.start()),
      () => fleet.store.leave('p1'),
      () => fleet.store.join('p4').then(() => proxies.get('p4')?.jobs.start()),
      () => fleet.store.leave('p3'),
      () => fleet.store.join('p1'),
    ];
    for (const step of steps) {
      await step();
      for (let i = 0; i < 60; i++) {
        await fleet.pass(100);
        expect(Math.max(...running())).toBeLessThanOrEqual(1);
      }
      expect(running()).toEqual(names.map(() => 1));
    }
  });
});
