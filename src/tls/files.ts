/** Reads the files of one side of TLS. */
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import {
  materialMistakes,
  type PartMistake,
  TLS_PARTS,
  type TlsFiles,
  type TlsMaterial,
  type TlsPart,
} from './material.js';

/** Bundles of all the world's authorities are smaller. */
const MOST_BYTES = 1_048_576;

/** What was read, and what is wrong with it; empty: it can be used. */
export interface ReadFiles {
  readonly material: TlsMaterial;
  readonly mistakes: readonly PartMistake[];
}

/** Reads and checks them at once, which a start and a check of the configuration may wait for. */
export function readTlsFiles(files: TlsFiles): ReadFiles {
  const parts = TLS_PARTS.map((part) => {
    try {
      return readPart(part, files[part], files[part] === '' ? NOTHING : readFileSync(files[part]));
    } catch (error) {
      return unreadable(part, files[part], error);
    }
  });
  return checked(files, parts);
}

/** Reads and checks them while the process goes on. */
export async function readTlsFilesLater(files: TlsFiles): Promise<ReadFiles> {
  const parts = await Promise.all(
    TLS_PARTS.map(async (part) => {
      try {
        return readPart(part, files[part], files[part] === '' ? NOTHING : await readBounded(files[part]));
      } catch (error) {
        return unreadable(part, files[part], error);
      }
    }),
  );
  return checked(files, parts);
}

const NOTHING = Buffer.alloc(0);

interface ReadPart {
  readonly part: TlsPart;
  readonly text: string;
  /** Null: it was read. */
  readonly message: string | null;
}

/** No more than is needed to see that it is too much: the path may lead to anything by now. */
async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is no regular file');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES + 1), 0, MOST_BYTES + 1, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function readPart(part: TlsPart, path: string, bytes: Buffer): ReadPart {
  if (path === '') return { part, text: '', message: null };
  if (bytes.length === 0) return { part, text: '', message: `${path} is empty` };
  if (bytes.length > MOST_BYTES) return { part, text: '', message: `${path} is larger than 1mb` };
  return { part, text: bytes.toString('latin1'), message: null };
}

function unreadable(part: TlsPart, path: string, error: unknown): ReadPart {
  const message = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  return { part, text: '', message };
}

function checked(files: TlsFiles, parts: readonly ReadPart[]): ReadFiles {
  const textOf = (wanted: TlsPart): string => parts.find(({ part }) => part === wanted)?.text ?? '';
  const material: TlsMaterial = { cert: textOf('cert'), key: textOf('key'), ca: textOf('ca') };
  const unread = parts.flatMap(({ part, message }) => (message === null ? [] : [{ part, message }]));
  if (unread.length > 0) return { material, mistakes: unread };
  const mistakes = materialMistakes(material).map(({ part, message }) => {
    return { part, message: files[part] === '' ? message : `${files[part]} ${message}` };
  });
  return { material, mistakes };
}
