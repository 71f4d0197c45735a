import { isLoopback, parseAddress } from '../node/address.js';
import { pointMistakes } from '../ring/node-points.js';
import { tagMistakes } from '../ring/tag-mistakes.js';
import { adminTokens, tokenMistakes } from './admin-tokens.js';
import { crossNodeMistakes } from './cross-node-users.js';
import { firstLine } from './first-line.js';
import { fleetChecks } from './fleet-checks.js';
import { MOST_NODES } from './node-limits.js';
import type { Config } from './settings.js';
import { tlsMistakes } from './tls.js';
import { limitMistakes } from './user-limits.js';
import { userMistakes } from './users.js';

/** What concerns several settings at once. @returns a message with the path it belongs to, for each mistake */
export function crossChecks(config: Config): { path: string; message: string }[] {
  const mistakes: { path: string; message: string }[] = [];
  const names = new Set<string>();
  const addresses = new Map<string, string>();
  config.nodes.forEach((entry, index) => {
    if (names.has(entry.name)) mistakes.push({ path: `nodes[${index}]`, message: `node ${entry.name} is named twice` });
    const other = addresses.get(entry.address);
    if (other !== undefined && other !== entry.name) {
      mistakes.push({ path: `nodes[${index}]`, message: `${entry.address} is the address of ${other}, too` });
    }
    names.add(entry.name);
    addresses.set(entry.address, entry.name);
  });
  const inFile = firstLine(config.nodePasswordFile);
  if (config.nodePasswordFile !== '' && inFile === '') {
    mistakes.push({ path: 'node-password-file', message: 'its first line is empty: it is to be the password' });
  }
  if (config.nodePassword !== '' && inFile !== '') {
    mistakes.push({ path: 'node-password', message: 'stands in node-password-file, too: give one of the two' });
  }
  for (const { index, message } of pointMistakes(config.nodes, config))
    mistakes.push({ path: `nodes[${index}]`, message });
  if (config.nodes.length > MOST_NODES) {
    mistakes.push({ path: 'nodes', message: `${config.nodes.length} nodes: a ring has at most ${MOST_NODES}` });
  }
  if (config.rejoinAfterMax < config.rejoinAfter) {
    mistakes.push({ path: 'rejoin-after-max', message: 'is shorter than rejoin-after, which it bounds' });
  }
  if (config.listen === config.admin && config.admin !== 'off' && !config.admin.endsWith(':0')) {
    mistakes.push({
      path: 'admin',
      message: `${config.admin} is where clients connect: give one of the two another port`,
    });
  }
  const admin = config.admin === 'off' ? null : parseAddress(config.admin);
  if (admin !== null && !isLoopback(admin) && adminTokens(config).admin.length === 0) {
    mistakes.push({
      path: 'admin',
      message: `${config.admin} can be reached from other machines: set admin-token, or use a loopback address`,
    });
  }
  if (config.distribution === 'ketama' && config.weighting === 'total' && config.vnodes % 4 !== 0) {
    mistakes.push({ path: 'ring.vnodes', message: 'must be a multiple of 4 with weighting total, as ketama has it' });
  }
  for (const { index, message } of tagMistakes(config.hashTags, config.hashTag))
    mistakes.push({ path: `ring.hash-tags[${index}]`, message });
  mistakes.push(...tokenMistakes(config), ...fleetChecks(config), ...userMistakes(config), ...limitMistakes(config));
  mistakes.push(...crossNodeMistakes(config));
  mistakes.push(...tlsMistakes(config));
  return mistakes;
}
