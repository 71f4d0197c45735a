/** What works of the files of certificates, and may not be what was meant: a sentence each. */
import { readTlsFiles } from '../tls/files.js';
import { type CertificateFacts, factsOf } from '../tls/material.js';
import type { Config } from './settings.js';
import { allTlsFiles, type NamedFiles } from './tls.js';

/** As the rules for alerts have it. */
const SOON_DAYS = 14;
const DAY_MS = 86_400_000;
/** The least that is still thought safe (NIST SP 800-57). */
const LEAST_RSA_BITS = 2048;

/** @param now milliseconds since 1970 */
export function tlsWarnings(config: Config, now = Date.now()): string[] {
  return [...new Set(allTlsFiles(config).flatMap((named) => warningsOf(named, now)))];
}

function warningsOf({ files, paths, roles }: NamedFiles, now: number): string[] {
  const { material, mistakes } = readTlsFiles(files);
  if (mistakes.length > 0) return [];
  const facts = factsOf(material);
  const own = facts.find(({ part }) => part === 'cert');
  return facts.flatMap((fact) => {
    const what = `${paths[fact.part]}: ${files[fact.part]} holds a certificate (${fact.subject})`;
    const purposes = fact === own ? roles.map((role) => ofPurpose(fact, role)) : [];
    const said = [ofTime(fact, facts, now), ofKey(fact), ...purposes];
    return said.filter((words) => words !== null).map((words) => `${what} ${words}`);
  });
}

function ofTime(fact: CertificateFacts, facts: readonly CertificateFacts[], now: number): string | null {
  const { part, validFrom, expiresAt } = fact;
  if (expiresAt <= now) return `that has expired on ${dayOf(expiresAt)}: whoever checks it refuses it`;
  if (validFrom > now) return `that is valid from ${dayOf(validFrom)} on, and not before`;
  // Of several authorities the next one is there already.
  const isLast = part === 'cert' || !facts.some((other) => other.part === 'ca' && other.expiresAt > expiresAt);
  if (!isLast || expiresAt > now + SOON_DAYS * DAY_MS) return null;
  return `that expires soon, on ${dayOf(expiresAt)}: put a new one in its place, which needs no restart`;
}

function ofKey({ rsaBits }: CertificateFacts): string | null {
  if (rsaBits === null || rsaBits >= LEAST_RSA_BITS) return null;
  return `with an RSA key of ${rsaBits} bits, which can be broken and is refused by many: make one of ${LEAST_RSA_BITS} or more`;
}

function ofPurpose({ purposes }: CertificateFacts, role: NamedFiles['roles'][number]): string | null {
  const wanted = role === 'server' ? 'serverAuth' : 'clientAuth';
  if (purposes === null || purposes.includes(wanted) || purposes.includes('any')) return null;
  const who = role === 'server' ? 'clients that check it refuse it' : 'servers that ask for it refuse it';
  return `that is not one for ${role}s (${wanted}): ${who}`;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
