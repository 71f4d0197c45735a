/** The groups of keys of a proxy that is alone with its ring, as one JSON file beside the ring. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RingproxyError, systemCode } from '../../errors.js';
import { replaceFile } from './files.js';
import { GROUPS_FORMAT, type StoredGroups, storedGroups } from './group-records.js';

const schema = z.object({ format: z.literal(GROUPS_FORMAT), ...storedGroups.shape });

export class GroupsFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @returns null: there is none. @throws RingproxyError when it cannot be read: keys might be looked for elsewhere */
  async load(): Promise<StoredGroups | null> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw new RingproxyError('STATE_DIR', `${this.#file} cannot be read: ${String(error)}`);
    }
    try {
      const { revision, record } = schema.parse(JSON.parse(text));
      return { revision, record };
    } catch {
      throw new RingproxyError(
        'STATE_CORRUPT',
        `${this.#file} does not hold groups of keys`,
        'restore it from a backup; if you delete it, the groups are those of the configuration again',
      );
    }
  }

  /**
   * Replaces what is kept; to be called again only when that is done.
   * @throws RingproxyError when it may not have been written
   */
  async save(groups: StoredGroups): Promise<void> {
    try {
      await replaceFile(this.#file, `${JSON.stringify({ format: GROUPS_FORMAT, ...groups }, null, 2)}\n`);
    } catch (error) {
      throw new RingproxyError('STATE_DIR', `${this.#file} cannot be written: ${String(error)}`);
    }
  }
}
