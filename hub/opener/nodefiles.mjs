// Files in node, as a person names them: a clip that is read a range at a time, small files, and an output that is
// there whole or not at all, and never in the place of something else. Trouble is told by the name that was given.

import { lstat, open, rename, rm, stat } from "node:fs/promises";
import { getSystemErrorMap } from "node:util";
import { Misuse } from "../sealcam_hub/console/static/opener/files.mjs";

/** Something can't be written, or deleted; says what to do. */
export class NotWritten extends Error {
  /** @param {string} message @param {string} hint */
  constructor(message, hint) {
    super(message);
    this.name = "NotWritten";
    this.hint = hint;
  }
}

/** What the system said, in its words, or null if it wasn't the system. @param {any} error @returns {string | null} */
export function systemSaid(error) {
  if (error?.syscall === undefined) return null;
  return getSystemErrorMap().get(error.errno)?.[1] ?? error.code;
}

/**
 * Do something that reads `path`.
 * @template T @param {string} path @param {() => Promise<T>} read @returns {Promise<T>}
 */
async function reading(path, read) {
  try {
    return await read();
  } catch (error) {
    const said = systemSaid(error);
    throw said === null ? error : new Misuse(`${path} can't be read: ${said}`, "name another file");
  }
}

/**
 * Do something that writes `path`, or files beside it.
 * @template T @param {string} path @param {() => Promise<T>} write @returns {Promise<T>}
 */
export async function writing(path, write) {
  try {
    return await write();
  } catch (error) {
    const said = systemSaid(error);
    const hint = "name a file in a folder that is there, has space, and is yours to write";
    throw said === null ? error : new NotWritten(`${path} can't be written: ${said}`, hint);
  }
}

/** @param {string} path */
async function mustBeNoFolder(path) {
  const found = await stat(path);
  if (found.isDirectory()) throw new Misuse(`${path} is a folder`, "name a file");
  return found;
}

/**
 * A file as a source of ranges; `close` when done.
 * @param {string} path
 */
export function fromFile(path) {
  return reading(path, async () => {
    // Only a file has a size and ranges; and to open a pipe may wait for ever.
    if (!(await mustBeNoFolder(path)).isFile()) throw new Misuse(`${path} isn't a file`, "name another file");
    const handle = await open(path, "r");
    const { size } = await handle.stat();
    return {
      size,
      close: () => handle.close(),
      read: (/** @type {number} */ from, /** @type {number} */ to) =>
        reading(path, () => filled(handle, from, Math.max(0, Math.min(to, size) - from))),
    };
  });
}

/**
 * As many bytes as there are from a place on, at most `most`.
 * @param {import("node:fs/promises").FileHandle} handle @param {number | null} from null: where the last read ended
 * @param {number} most
 */
async function filled(handle, from, most) {
  const bytes = new Uint8Array(most);
  let at = 0;
  while (at < most) {
    const { bytesRead } = await handle.read(bytes, at, most - at, from === null ? null : from + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/**
 * The bytes of a small file, or of a pipe.
 * @param {string} path @param {number} most bytes @param {string} what
 */
export function small(path, most, what) {
  return reading(path, async () => {
    await mustBeNoFolder(path);
    const handle = await open(path, "r");
    try {
      const bytes = await filled(handle, null, most + 1);
      if (bytes.length > most) throw new Misuse(`${path} is too large for ${what}`, "name another file");
      return bytes;
    } finally {
      await handle.close();
    }
  });
}

/** What is at a path, itself and not what it leads to; null: nothing. @param {string} path */
export async function lying(path) {
  try {
    return await lstat(path);
  } catch (error) {
    if (/** @type {any} */ (error).code === "ENOENT") return null;
    throw error;
  }
}

/** @param {string} path @param {string} given what a person called it, or what it belongs to */
export function mustNotBe(path, given = path) {
  return writing(given, async () => {
    const there = await lying(path);
    if (there?.isFile()) throw new NotWritten(`${path} is there already`, "name another file, or delete it first");
    if (there?.isDirectory()) throw new NotWritten(`${path} is a folder`, "name a new file");
    if (there) throw new NotWritten(`${path} is there already, and isn't a file`, "name a new file");
  });
}

/**
 * Write a file that only its owner reads, whole or not at all; how many bytes.
 * @param {string} path @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} pieces
 * @param {string} given what a person called it, or what it belongs to
 */
export function writeNew(path, pieces, given = path) {
  return writing(given, async () => {
    const draft = `${path}.part`;
    await mustNotBe(path, given);
    await mustNotBe(draft, given); // nor is anything deleted that may be somebody's: a broken-off writing says so
    const handle = await open(draft, "wx", 0o600);
    let size = 0;
    try {
      for await (const piece of pieces) {
        await handle.writeFile(piece);
        size += piece.length;
      }
      await handle.sync();
      await handle.close();
      await mustNotBe(path, given); // it took a while
      await rename(draft, path);
    } catch (error) {
      await handle.close();
      await rm(draft, { force: true });
      throw error;
    }
    return size;
  });
}
