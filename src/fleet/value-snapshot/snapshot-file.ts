/**
 * The file of a snapshot: what a store has, as batches one behind the other.
 *
 *   file     a line that says what it is, the batches, each behind its length, then 0
 *            a note of what it is of, its length, and a digest of everything before
 *
 * It is written beside the old one, which it replaces when it is whole and on the disk. One that was cut, or changed
 * since, has another digest. It is read in pieces, since it may be larger than what fits into one buffer.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BytesReader } from '../values/bytes-reader.js';
import { BytesWriter } from '../values/bytes-writer.js';

/** What the values are of. */
export interface SnapshotNote {
  /** Which ring: where its proxies agree; empty: that of a proxy that is alone. */
  readonly ring: string;
  /** What was deleted anywhere up to then is not among them. Milliseconds since 1970. */
  readonly until: number;
  /** What was deleted up to then may not be told of any more. Milliseconds since 1970. */
  readonly forgotten: number;
}

/** The file is there and can be read, but is none that can be used. */
export class UnusableSnapshot extends Error {}

const KIND = 'ringproxy values ';
const TITLE = Buffer.from(`${KIND}1\n`);
const LENGTH_BYTES = 4;
const DIGEST = 'sha256';
const DIGEST_BYTES = 32;
/** Without a batch. */
const LEAST_BYTES = TITLE.length + 2 * LENGTH_BYTES + DIGEST_BYTES;
const PIECE_BYTES = 1_048_576;
/** Values may be secrets. */
const OWNER_ONLY = 0o600;

/**
 * @param note asked for when all batches are written
 * @throws the system's error; the old file is as it was then
 */
export async function writeSnapshot(path: string, batches: Iterable<Buffer>, note: () => SnapshotNote): Promise<void> {
  const temporary = `${path}.new`;
  try {
    const file = await open(temporary, 'w', OWNER_ONLY);
    try {
      await writeAll(file, batches, note);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // What was written of it takes room that is needed.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A file that is whole. To be closed. */
export class OpenSnapshot {
  readonly note: SnapshotNote;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, note: SnapshotNote) {
    this.#file = file;
    this.note = note;
  }

  /**
   * @returns null: there is no such file
   * @throws UnusableSnapshot, or the system's error
   */
  static async open(path: string): Promise<OpenSnapshot | null> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) return null;
    try {
      return new OpenSnapshot(file, await check(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async *batches(): AsyncGenerator<Buffer> {
    for (let at = TITLE.length; ; ) {
      const length = (await readAt(this.#file, at, LENGTH_BYTES)).readUInt32BE();
      at += LENGTH_BYTES;
      if (length === 0) return;
      yield await readAt(this.#file, at, length);
      at += length;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** @throws UnusableSnapshot, or the system's error */
async function check(file: FileHandle): Promise<SnapshotNote> {
  const { size } = await file.stat();
  const title = await readAt(file, 0, Math.min(size, TITLE.length));
  if (!title.equals(TITLE)) {
    const isOurs = title.toString('latin1').startsWith(KIND);
    throw new UnusableSnapshot(isOurs ? 'is of another version of ringproxy' : 'does not hold values');
  }
  if (size < LEAST_BYTES) throw new UnusableSnapshot('was cut');
  const end = size - DIGEST_BYTES;
  const digest = createHash(DIGEST);
  for (let at = 0; at < end; at += PIECE_BYTES) {
    digest.update(await readAt(file, at, Math.min(PIECE_BYTES, end - at)));
  }
  if (!digest.digest().equals(await readAt(file, end, DIGEST_BYTES))) throw new UnusableSnapshot('was cut or changed');
  const noteEnd = end - LENGTH_BYTES;
  const length = (await readAt(file, noteEnd, LENGTH_BYTES)).readUInt32BE();
  return decodeNote(await readAt(file, noteEnd - length, length));
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let had = 0;
  while (had < length) {
    const { bytesRead } = await file.read(buffer, had, length - had, position + had);
    if (bytesRead === 0) throw new UnusableSnapshot('was cut');
    had += bytesRead;
  }
  return buffer;
}

async function writeAll(file: FileHandle, batches: Iterable<Buffer>, note: () => SnapshotNote): Promise<void> {
  const digest = createHash(DIGEST);
  const write = async (bytes: Buffer): Promise<void> => {
    digest.update(bytes);
    await file.writeFile(bytes);
  };
  await write(TITLE);
  for (const batch of batches) {
    await write(lengthOf(batch.length));
    await write(batch);
  }
  await write(lengthOf(0));
  const last = encodeNote(note());
  await write(last);
  await write(lengthOf(last.length));
  await file.writeFile(digest.digest());
}

function encodeNote({ ring, until, forgotten }: SnapshotNote): Buffer {
  const out = new BytesWriter();
  out.bytes(Buffer.from(ring));
  out.count(until);
  out.count(forgotten);
  return out.take();
}

function decodeNote(bytes: Buffer): SnapshotNote {
  const input = new BytesReader(bytes);
  const note = { ring: input.bytes().toString(), until: input.count(), forgotten: input.count() };
  if (input.failed) throw new UnusableSnapshot('does not say what it is of');
  return note;
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES);
  bytes.writeUInt32BE(length);
  return bytes;
}
