/** Reads the files of one side of TLS. */
import { messageOf } from '../errors.js';
import { readRegularFile, readRegularFileLater } from '../regular-file.js';
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
      return readPart(part, files[part], files[part] === '' ? NOTHING : readRegularFile(files[part], MOST_BYTES));
    } catch (error) {
      return unreadable(part, error);
    }
  });
  return checked(files, parts);
}

/** Reads and checks them while the process goes on. */
export async function readTlsFilesLater(files: TlsFiles): Promise<ReadFiles> {
  const parts = await Promise.all(
    TLS_PARTS.map(async (part) => {
      try {
        return readPart(
          part,
          files[part],
          files[part] === '' ? NOTHING : await readRegularFileLater(files[part], MOST_BYTES),
        );
      } catch (error) {
        return unreadable(part, error);
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

function readPart(part: TlsPart, path: string, bytes: Buffer): ReadPart {
  if (path === '') return { part, text: '', message: null };
  if (bytes.length === 0) return { part, text: '', message: `${path} is empty` };
  return { part, text: bytes.toString('latin1'), message: null };
}

function unreadable(part: TlsPart, error: unknown): ReadPart {
  return { part, text: '', message: messageOf(error) };
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
