/** Where the masters of followed nodes were, for a proxy that is alone with its ring: one JSON file beside the ring. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { systemCode } from '../../errors.js';
import { setAside } from '../../set-aside.js';
import { replaceFile } from './files.js';
import { MASTER_FORMAT, type NodeKey, type StoredMaster, storedMaster } from './master-records.js';

const schema = z.object({
  format: z.literal(MASTER_FORMAT),
  masters: z.array(z.object({ name: z.string(), node: z.string(), ...storedMaster.shape })),
});

export class MastersFile {
  readonly #file: string;
  readonly #tell: (message: string) => void;

  /** @param tell told when the file is of no use */
  constructor(file: string, tell: (message: string) => void) {
    this.#file = file;
    this.#tell = tell;
  }

  /** @returns what is kept. A file that cannot be used is set aside, and told of: masters are looked for as at a first start */
  async load(): Promise<Map<NodeKey, StoredMaster>> {
    try {
      const { masters } = schema.parse(JSON.parse(await readFile(this.#file, 'utf8')));
      return new Map(masters.map(({ name, node, revision, record }) => [`${name}\n${node}`, { revision, record }]));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') {
        const where = await setAside(this.#file);
        this.#tell(`${this.#file} does not say which servers were masters: ${where}; who served last is not known`);
      }
      return new Map();
    }
  }

  /** Replaces what is kept; to be called again only when that is done. @throws the system's error */
  async save(kept: ReadonlyMap<NodeKey, StoredMaster>): Promise<void> {
    const masters = [...kept].map(([key, master]) => {
      const [name = '', node = ''] = key.split('\n');
      return { name, node, ...master };
    });
    await replaceFile(this.#file, `${JSON.stringify({ format: MASTER_FORMAT, masters }, null, 2)}\n`);
  }
}
