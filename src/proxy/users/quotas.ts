/** What clients that are counted together may do: those of one address, or of one user. Pure. */
import type { CountedBy } from '../measure/limit-counts.js';
import type { UserLimit } from '../settings/form.js';

/** 0: any number. */
export interface Quota {
  /** At a time. */
  readonly clients: number;
  /** A second. */
  readonly commands: number;
  /** A second, of what clients send. */
  readonly bytes: number;
}

export interface QuotaSettings {
  readonly maxClientsPerAddress: number;
  readonly commandsPerAddress: number;
  readonly bytesPerAddress: number;
  readonly maxClientsPerUser: number;
  readonly commandsPerUser: number;
  readonly bytesPerUser: number;
  readonly userLimits: readonly UserLimit[];
}

export class Quotas {
  readonly #ofAddress: Quota;
  readonly #ofUsers: Quota;
  readonly #ofUser: ReadonlyMap<string, Quota>;

  constructor(settings: QuotaSettings) {
    this.#ofAddress = {
      clients: settings.maxClientsPerAddress,
      commands: settings.commandsPerAddress,
      bytes: settings.bytesPerAddress,
    };
    const all = {
      clients: settings.maxClientsPerUser,
      commands: settings.commandsPerUser,
      bytes: settings.bytesPerUser,
    };
    this.#ofUsers = all;
    this.#ofUser = new Map(settings.userLimits.map(({ name, ...own }) => [name, { ...all, ...own }]));
  }

  /** @param name an address, or a user's name */
  of(by: CountedBy, name: string): Quota {
    return by === 'address' ? this.#ofAddress : (this.#ofUser.get(name) ?? this.#ofUsers);
  }
}

/** Whether it limits something. */
export function isLimit({ clients, commands, bytes }: Quota): boolean {
  return clients > 0 || commands > 0 || bytes > 0;
}

export function hasRates({ commands, bytes }: Quota): boolean {
  return commands > 0 || bytes > 0;
}
