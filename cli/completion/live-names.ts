import { AdminClient } from '../../src/client/admin-client.js';
import { DEFAULT_ADMIN } from '../../src/client/admin-url.js';
import { findAuthority } from '../authority.js';
import { findCertificate } from '../own-certificate.js';
import { findToken } from '../token.js';
import type { Asked, NamesOf, Offer } from './candidates.js';

/** Who presses Tab does not wait for a proxy that hangs. */
const LONGEST_MS = 2_000;

type Names = (client: AdminClient) => Promise<Offer[]>;

const nodes: Names = async (client) =>
  (await client.ring()).nodes.map(({ name, address, state }) => ({ value: name, description: `${address}, ${state}` }));

const groups: Names = async (client) =>
  (await client.groups(false)).groups.map(({ group }) => ({ value: group, description: '' }));

const proxies: Names = async (client) =>
  (await client.proxies()).map(({ id, admin, alive }) => ({
    value: id,
    description: `${admin ?? ''}${alive ? '' : ', not seen any more'}`,
  }));

/** The commands whose arguments are names of what runs, by their paths. */
export const NAMED: ReadonlyMap<string, Names> = new Map([
  ['ring remove', nodes],
  ['ring set-weight', nodes],
  ['ring replace', nodes],
  ['groups ls', groups],
  ['groups set', groups],
  ['groups rm', groups],
  ['proxies forget', proxies],
]);

export const liveNames: NamesOf = async (path, asked) => {
  const names = NAMED.get(path);
  return names === undefined ? [] : within(LONGEST_MS, ask(names, asked));
};

/** Nothing may be told on a line that somebody types: whatever goes wrong, there are no names. */
async function ask(names: Names, { admin, token }: Asked): Promise<readonly Offer[]> {
  const { RINGPROXY_ADMIN } = process.env;
  try {
    return await names(
      new AdminClient({
        admin: admin || RINGPROXY_ADMIN || DEFAULT_ADMIN,
        token: findToken({ token: token || undefined }, process.env),
        ca: findAuthority({}, process.env),
        ...findCertificate({}, process.env),
      }),
    );
  } catch {
    return [];
  }
}

function within(milliseconds: number, names: Promise<readonly Offer[]>): Promise<readonly Offer[]> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve([]), milliseconds);
    void names.then((found) => {
      clearTimeout(timer);
      resolve(found);
    });
  });
}
