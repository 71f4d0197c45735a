/**
 * What each client is counted by: its address, and the user that it is. It is counted by another user from the moment
 * on at which it becomes that one.
 *
 *   comes ──▶ its address, and the user `default` where that needs no password, or the one that its certificate names
 *   AUTH, HELLO AUTH ──▶ another user, if that may have one client more     RESET ──▶ as it came
 *
 * Where the proxy has several processes, whether a user may have one client more is known by the primary alone, which is
 * asked: the command is handled again when it has answered. EXEC asks for all that its AUTHs may become before it runs
 * (`reserved-seats.ts`).
 */
import type { AllLimitCounts, CountedBy } from '../../measure/limit-counts.js';
import { hasRates, isLimit, type QuotaSettings, Quotas } from '../../users/quotas.js';
import { METERED, type Mode } from '../modes.js';
import { peerKey } from './address-key.js';
import type { LimitPeers } from './limit-peers.js';
import type { LimitedClient, LimitMode, Party, Rate } from './party.js';
import { PartyLimits } from './party-limits.js';
import { ReservedSeats } from './reserved-seats.js';

export const TOO_MANY_OF_ADDRESS = 'ERR max number of clients of this address reached';
export const TOO_MANY_OF_USER = 'ERR max number of clients of this user reached';
export const LIMITED_MEANWHILE =
  'ERR the limits or the password of this user have changed while the transaction ran: send AUTH again';

export interface LimitSettings extends QuotaSettings {
  readonly limitMode: LimitMode;
}

/** A place among a user's clients that was asked for. */
interface Seat {
  readonly user: string;
  outcome: 'asked' | 'granted' | 'full';
}

/** By what one client is counted; who has none of this is not limited. */
export interface Counted {
  address: Party | null;
  user: Party | null;
  seat: Seat | null;
  /** What its transaction holds; null: nothing. */
  reserved: ReservedSeats | null;
  /** Nothing of it is handled before it is known whether it may be its user. */
  isEntering: boolean;
}

/** A client, as it is counted. */
export interface CountedClient extends LimitedClient {
  counted: Counted | null;
  /** As it came: `ADDRESS:PORT`, or `unix`. */
  readonly address: string;
  readonly authenticated: boolean;
  readonly user: { readonly name: string };
  enter(mode: Mode): void;
  leave(mode: Mode): void;
  /** What it is answered now becomes a part of EXEC's reply, which cannot wait. */
  readonly collectsReply: boolean;
  /** It waits until `resumeSoon`. */
  suspend(): void;
  /** It is answered the error, and closed. */
  turnAway(text: string): void;
}

/** `asked`: the command is to be handled again, which the client is told; `unreserved`: EXEC has not asked for it. */
export type Admission = 'in' | 'full' | 'asked' | 'unreserved';

export class ClientLimits {
  readonly #settings: LimitSettings;
  readonly #peers: LimitPeers | null;
  readonly #parties: Readonly<Record<CountedBy, PartyLimits>>;
  #quotas: Quotas;

  /** @param settings may become others (`refresh`) @param peers null: there is one process */
  constructor(settings: LimitSettings, counts: AllLimitCounts, now: () => number, peers: LimitPeers | null) {
    this.#settings = settings;
    this.#peers = peers;
    this.#quotas = new Quotas(settings);
    const limitsBy = (by: CountedBy): PartyLimits => {
      const quotaOf = (key: string) => this.#quotas.of(by, key);
      const rules = {
        quotaOf,
        get mode() {
          return settings.limitMode;
        },
      };
      return new PartyLimits(rules, counts[by], now);
    };
    this.#parties = { address: limitsBy('address'), user: limitsBy('user') };
  }

  /** Whether an address has as many clients as it may, who would be turned away. @param peer as for a client */
  isAddressFull(peer: string): boolean {
    const key = peerKey(peer);
    return key !== null && this.#parties.address.isFull(key);
  }

  /** Whether a user has as many clients in this process as it may, where there is no other. */
  isUserFull(user: string): boolean {
    return this.#peers === null && this.#parties.user.isFull(user);
  }

  /** A client has come, for which there is room in this process. @param user that it is already; null: none yet */
  begin(client: CountedClient, user: string | null): void {
    this.#recountAddress(client);
    if (user === null) return;
    if (this.#peers === null || this.#quotas.of('user', user).clients === 0) {
      this.#become(client, user, true);
      return;
    }
    const counted = countedOf(client);
    counted.isEntering = true;
    this.#ask(client, counted, user, (isGranted) => {
      counted.seat = null;
      counted.isEntering = false;
      if (isGranted) this.#become(client, user, false);
      else {
        this.#parties.user.refused();
        client.turnAway(TOO_MANY_OF_USER);
      }
    });
  }

  /** The client is to become this user: if it is `in`, it is counted by it from now on. */
  admit(client: CountedClient, user: string): Admission {
    if (client.counted?.user?.key === user) return 'in';
    if (this.#quotas.of('user', user).clients === 0) {
      this.#become(client, user, true);
      return 'in';
    }
    if (this.#peers === null) {
      if (this.#parties.user.isFull(user)) return 'full';
      this.#become(client, user, true);
      return 'in';
    }
    if (client.collectsReply) return this.#admitReserved(client, user);
    const counted = countedOf(client);
    if (counted.seat?.user === user && counted.seat.outcome !== 'asked') {
      const isGranted = counted.seat.outcome === 'granted';
      counted.seat = null;
      if (isGranted) {
        this.#become(client, user, false);
        return 'in';
      }
      this.#parties.user.refused();
      this.#settle(client, counted);
      return 'full';
    }
    client.suspend();
    if (counted.seat?.user !== user) this.#ask(client, counted, user, () => {});
    return 'asked';
  }

  /** Whether this process cannot tell by itself that the user may have one client more. */
  isCountedElsewhere(user: string): boolean {
    return this.#peers !== null && this.#quotas.of('user', user).clients > 0;
  }

  /** What the client's transaction holds; null: nothing. */
  reservedBy({ counted }: CountedClient): ReservedSeats | null {
    return counted?.reserved ?? null;
  }

  /**
   * Asks whether the client may be one of these users in its transaction: it counts as one of each until `release`, and
   * is told to go on when all is known. Only where `isCountedElsewhere` said so.
   */
  reserve(client: CountedClient, users: ReadonlySet<string>): ReservedSeats | null {
    if (this.#peers === null) return null;
    const counted = countedOf(client);
    const now = counted.user?.key;
    // The place that it has it keeps when it becomes another one.
    const others = [...users].filter((name) => name !== now);
    counted.reserved = new ReservedSeats(this.#peers, others, () => client.resumeSoon());
    return counted.reserved;
  }

  /** The client's transaction has ended, or does not run. */
  release(client: CountedClient): void {
    const { counted } = client;
    if (counted === null || counted.reserved === null) return;
    counted.reserved.close();
    counted.reserved = null;
    this.#settle(client, counted);
  }

  /** It is no user any more. */
  leaveUser(client: CountedClient): void {
    const { counted } = client;
    if (counted === null) return;
    if (counted.user !== null) this.#leaveUser(client, counted.user);
    counted.user = null;
    this.#settle(client, counted);
  }

  /** The client has gone. */
  end(client: CountedClient): void {
    const { counted } = client;
    if (counted === null) return;
    if (counted.seat !== null) this.#giveUp(counted.seat);
    this.release(client);
    if (counted.user !== null) this.#leaveUser(client, counted.user);
    if (counted.address !== null) this.#parties.address.leave(counted.address, client);
  }

  /** Settings, or users, may have become others: each client is counted by them, and nobody is turned away for it. */
  refresh(clients: Iterable<CountedClient>): void {
    this.#quotas = new Quotas(this.#settings);
    for (const parties of Object.values(this.#parties)) parties.refresh();
    for (const client of clients) {
      if (client.closed) continue;
      this.#recountAddress(client);
      if (client.counted?.isEntering === true) continue;
      if (client.authenticated) this.#become(client, client.user.name, true);
      else this.leaveUser(client);
    }
  }

  /** Other processes have so many clients of this address, or user. */
  setElsewhere(by: CountedBy, name: string, clients: number): void {
    this.#parties[by].setElsewhere(name, clients);
  }

  /** A client has had so much handled. */
  charge({ address, user }: Counted, commands: number, bytes: number): void {
    if (address !== null) this.#parties.address.charge(address, commands, bytes);
    if (user !== null) this.#parties.user.charge(user, commands, bytes);
  }

  /** @returns whether nothing of the client is to be handled now; it is told when it may go on */
  holds(client: LimitedClient, { address, user, isEntering }: Counted): boolean {
    if (isEntering) return true;
    // Who is beyond both waits for both.
    const byAddress = address !== null && this.#parties.address.holds(address, client);
    return (user !== null && this.#parties.user.holds(user, client)) || byAddress;
  }

  /**
   * Of a command that may be refused.
   * @returns the error that it is answered, since it is beyond a rate; null: it may be carried out
   */
  refusal({ address, user }: Counted): string | null {
    const byAddress = address === null ? null : this.#parties.address.over(address);
    if (address !== null && byAddress !== null) return this.#refuse('address', address, byAddress);
    const byUser = user === null ? null : this.#parties.user.over(user);
    return user === null || byUser === null ? null : this.#refuse('user', user, byUser);
  }

  /** Called about once a second. */
  tick(): void {
    for (const parties of Object.values(this.#parties)) parties.tick();
  }

  close(): void {
    for (const parties of Object.values(this.#parties)) parties.close();
  }

  #refuse(by: CountedBy, party: Party, rate: Rate): string {
    this.#parties[by].chargeRefusal(party, rate);
    return `LIMIT clients of this ${by} may send ${party.quota[rate]} ${rate} a second (${rate}-per-${by}): try again in a moment`;
  }

  #admitReserved(client: CountedClient, user: string): Admission {
    const outcome = client.counted?.reserved?.take(user);
    if (outcome === undefined) return 'unreserved';
    if (outcome === 'granted') {
      this.#become(client, user, false);
      return 'in';
    }
    this.#parties.user.refused();
    return 'full';
  }

  #ask(client: CountedClient, counted: Counted, user: string, onAnswer: (isGranted: boolean) => void): void {
    const peers = this.#peers;
    if (peers === null) return;
    if (counted.seat !== null) this.#giveUp(counted.seat);
    const seat: Seat = { user, outcome: 'asked' };
    counted.seat = seat;
    void peers.ask(user).then((isGranted) => {
      if (client.closed || counted.seat !== seat) {
        if (isGranted) peers.left(user);
        return;
      }
      seat.outcome = isGranted ? 'granted' : 'full';
      onAnswer(isGranted);
      client.resumeSoon();
    });
  }

  /** Nobody sits there. */
  #giveUp({ user, outcome }: Seat): void {
    if (outcome === 'granted') this.#peers?.left(user);
  }

  /** @param isNews the other processes do not know of it yet */
  #become(client: CountedClient, user: string, isNews: boolean): void {
    const before = client.counted?.user ?? null;
    const isLimited = isLimit(this.#quotas.of('user', user));
    if (isLimited ? before?.key === user : before === null) {
      if (client.counted !== null) this.#settle(client, client.counted);
      return;
    }
    const counted = countedOf(client);
    if (before !== null) this.#leaveUser(client, before);
    counted.user = isLimited ? this.#parties.user.enter(user) : null;
    if (isLimited && isNews) this.#peers?.entered(user);
    this.#settle(client, counted);
  }

  #leaveUser(client: CountedClient, party: Party): void {
    const waited = party.waiting.has(client);
    this.#parties.user.leave(party, client);
    const reserved = client.counted?.reserved ?? null;
    if (reserved === null) this.#peers?.left(party.key);
    else reserved.keep(party.key);
    if (waited && !client.closed) client.resumeSoon();
  }

  #recountAddress(client: CountedClient): void {
    const key = isLimit(this.#quotas.of('address', '')) ? peerKey(client.address) : null;
    const before = client.counted?.address ?? null;
    if ((before?.key ?? null) === key) return;
    const counted = countedOf(client);
    if (before !== null) {
      const waited = before.waiting.has(client);
      this.#parties.address.leave(before, client);
      if (waited) client.resumeSoon();
    }
    counted.address = key === null ? null : this.#parties.address.enter(key);
    this.#settle(client, counted);
  }

  /** What it is counted by has changed. */
  #settle(client: CountedClient, counted: Counted): void {
    const { address, user, seat, reserved } = counted;
    const hasRate = [address, user].some((party) => party !== null && hasRates(party.quota));
    if (hasRate && this.#settings.limitMode === 'refuse') client.enter(METERED);
    else client.leave(METERED);
    if (address === null && user === null && seat === null && reserved === null) client.counted = null;
  }
}

function countedOf(client: CountedClient): Counted {
  client.counted ??= { address: null, user: null, seat: null, reserved: null, isEntering: false };
  return client.counted;
}
