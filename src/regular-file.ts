/**
 * Reads files that settings name. A path may lead to anything: a FIFO would be waited for, a device may never end, and
 * a process that waits for a file serves nobody. So nothing is read of what is no regular file, nor more than is asked for.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** Opening waits for nobody, and takes no terminal. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const MEGABYTE = 1_048_576;

/**
 * Reads it at once, which a start, a check of the configuration and a reload may wait for.
 * @param mostBytes whole megabytes
 * @throws Error whose message is a whole sentence, with the path
 */
export function readRegularFile(path: string, mostBytes: number): Buffer {
  try {
    const file = openSync(path, FLAGS);
    try {
      const target = roomFor(fstatSync(file), path, mostBytes);
      let length = 0;
      for (let read = -1; read !== 0 && length < target.length; length += read) {
        read = readSync(file, target, length, target.length - length, null);
      }
      return filled(target, length, path, mostBytes);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw inWords(error, path);
  }
}

/** The same, while the process goes on. */
export async function readRegularFileLater(path: string, mostBytes: number): Promise<Buffer> {
  try {
    const file = await open(path, FLAGS);
    try {
      const target = roomFor(await file.stat(), path, mostBytes);
      let length = 0;
      for (let read = -1; read !== 0 && length < target.length; length += read) {
        read = (await file.read(target, length, target.length - length, null)).bytesRead;
      }
      return filled(target, length, path, mostBytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw inWords(error, path);
  }
}

/** What is wrong with a file, in a whole sentence. */
class UnusableFile extends Error {}

/** One byte more than it may have: it may have grown since, and files of the kernel say that they are empty. */
function roomFor(stats: Stats, path: string, mostBytes: number): Buffer {
  if (!stats.isFile()) throw new UnusableFile(`${path} is not a regular file`);
  if (stats.size > mostBytes) throw tooLarge(path, mostBytes);
  return Buffer.alloc(mostBytes + 1);
}

function filled(target: Buffer, length: number, path: string, mostBytes: number): Buffer {
  if (length > mostBytes) throw tooLarge(path, mostBytes);
  return Buffer.from(target.subarray(0, length));
}

function tooLarge(path: string, mostBytes: number): UnusableFile {
  return new UnusableFile(`${path} is larger than ${mostBytes / MEGABYTE}mb`);
}

function inWords(error: unknown, path: string): Error {
  if (error instanceof UnusableFile) return error;
  return new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
