/** Places that a transaction holds among users' clients: whatever happens, as many are given back as were granted. */
import { expect, it } from 'vitest';
import { noLimitCounts } from '../../../../src/proxy/measure/limit-counts.js';
import { ClientLimits, type CountedClient } from '../../../../src/proxy/session/limits/client-limits.js';
import { ReservedSeats } from '../../../../src/proxy/session/limits/reserved-seats.js';

const SETTINGS = {
  maxClientsPerAddress: 0,
  commandsPerAddress: 0,
  bytesPerAddress: 0,
  maxClientsPerUser: 5,
  commandsPerUser: 0,
  bytesPerUser: 0,
  userLimits: [],
  limitMode: 'slow',
} as const;

function stage(users: readonly string[]) {
  const open = new Map<string, (isGranted: boolean) => void>();
  const left: string[] = [];
  const told = { known: 0 };
  const peers = {
    ask: (user: string) => new Promise<boolean>((resolve) => open.set(user, resolve)),
    entered: () => {},
    left: (user: string) => left.push(user),
  };
  const seats = new ReservedSeats(peers, users, () => told.known++);
  const limits = new ClientLimits(SETTINGS, noLimitCounts(), () => 0, peers);
  const answer = async (user: string, isGranted: boolean): Promise<void> => {
    open.get(user)?.(isGranted);
    await Promise.resolve();
  };
  return { seats, limits, left, told, answer };
}

it('tells when all is known, and gives each place once', async () => {
  const { seats, left, told, answer } = stage(['a', 'b']);
  expect([seats.areKnown, seats.take('a')]).toEqual([false, undefined]);
  await answer('a', true);
  expect([seats.areKnown, told.known]).toEqual([false, 0]);
  await answer('b', false);
  expect([seats.areKnown, told.known]).toEqual([true, 1]);
  expect([seats.take('a'), seats.take('a'), seats.take('b'), seats.take('b'), seats.take('c')]).toEqual([
    'granted',
    undefined,
    'full',
    'full',
    undefined,
  ]);
  seats.close();
  expect(left).toEqual([]);
});

it('keeps the place of a user that the client is no more, but one only', async () => {
  const { seats, left, answer } = stage(['a', 'b']);
  await answer('a', true);
  await answer('b', false);
  seats.keep('a');
  expect(left).toEqual(['a']);
  seats.keep('b');
  seats.keep('c');
  expect([seats.take('b'), seats.take('c')]).toEqual(['granted', 'granted']);
  seats.close();
  expect(left).toEqual(['a', 'a']);
});

it('gives back what is granted when it is closed already, or has a place by then, and tells nobody', async () => {
  const early = stage(['a', 'b']);
  early.seats.keep('b');
  await early.answer('b', true);
  expect(early.left).toEqual(['b']);
  early.seats.close();
  await early.answer('a', true);
  expect([early.left, early.told.known]).toEqual([['b', 'b', 'a'], 0]);
});

it('a client that leaves gives back what its transaction held, what is granted behind that, and the place it had', async () => {
  const { limits, left, answer } = stage([]);
  const client: CountedClient = {
    counted: null,
    address: 'unix',
    authenticated: true,
    user: { name: 'now' },
    collectsReply: true,
    closed: false,
    enter: () => {},
    leave: () => {},
    suspend: () => {},
    resumeSoon: () => {},
    turnAway: () => {},
  };
  limits.reserve(client, new Set(['now', 'later', 'last']));
  await answer('now', true);
  await answer('later', true);
  expect([limits.admit(client, 'now'), limits.admit(client, 'later'), limits.admit(client, 'never')]).toEqual([
    'in',
    'in',
    'unreserved',
  ]);
  expect(left).toEqual([]);
  limits.end(client);
  expect(left.toSorted()).toEqual(['later', 'now']);
  await answer('last', true);
  expect(left.toSorted()).toEqual(['last', 'later', 'now']);
});
