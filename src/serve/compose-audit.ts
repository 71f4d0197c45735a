/** Composition: who has called what of the admin API, at this proxy and in the whole fleet. */
import { join } from 'node:path';
import type { AuditEntry } from '../admin/api.js';
import { Audit } from '../admin/audit/audit.js';
import { AuditFile, isEntry } from '../admin/audit/audit-file.js';
import type { AuditPort } from '../admin/backend.js';
import type { Config } from '../config/settings.js';
import type { Logger } from '../telemetry/log.js';
import { askOthers, type FleetNeeds, NOBODY } from './ask-fleet.js';

/** What proxies ask each other for this. */
const AUDIT_PATH = 'audit';
/** Of each proxy so many at most: what it answers is bounded. */
const MOST_OF_EACH = 1000;

export interface AuditNeeds extends FleetNeeds {
  readonly config: Pick<Config, 'stateDir'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export interface AuditParts {
  readonly audit: Audit;
  readonly port: AuditPort;
  close(): Promise<void>;
}

export function composeAudit({ config, log, ...fleet }: AuditNeeds): AuditParts {
  const audit = new Audit({
    proxy: fleet.self,
    keep: config.stateDir === '' ? null : new AuditFile(join(config.stateDir, 'audit.jsonl')),
    log: (entry, summary) => log.info({ audit: entry }, summary),
    warn: (message) => log.warn(message),
    now: () => performance.now(),
  });
  const end = fleet.peers?.handlers.on(AUDIT_PATH, async () => audit.newest(MOST_OF_EACH));
  return {
    audit,
    port: {
      async view({ limit, fleet: isOfFleet }) {
        const others = isOfFleet ? await askOthers(fleet, AUDIT_PATH, entriesFrom) : NOBODY;
        const all = [...audit.newest(limit), ...others.told.flatMap(({ part }) => part)];
        const entries = all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-limit);
        return { entries, missing: others.missing };
      },
    },
    async close() {
      end?.();
      await audit.close();
    },
  };
}

/** @returns null: it is none, of whatever form it is */
function entriesFrom(body: unknown): AuditEntry[] | null {
  return Array.isArray(body) && body.length <= MOST_OF_EACH && body.every(isEntry) ? body : null;
}
