// A clip is read a range at a time, wherever it lies, and is never whole in memory.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readHeader, survey } from "../../sealcam_hub/console/static/opener/clip.mjs";
import { content, openChunk, segmentKeys } from "../../sealcam_hub/console/static/opener/content.mjs";
import { fromHex } from "../../sealcam_hub/console/static/opener/bytes.mjs";
import { Refused } from "../../sealcam_hub/console/static/opener/refused.mjs";
import { fromBlob, fromBytes, fromUrl } from "../../sealcam_hub/console/static/opener/source.mjs";
import { fromFile } from "../nodefiles.mjs";

const VECTORS = new URL("../../../tests/vectors/", import.meta.url);
const CASES = JSON.parse(await readFile(new URL("scl1.json", VECTORS), "utf8"));
const ONE = CASES.find((/** @type {any} */ each) => each.kind === "open" && each.clip[0].file === "long.scl1");
const CLIP = new Uint8Array(await readFile(new URL("scl1/long.scl1", VECTORS)));
const SIGNERS = ONE.signers_hex.map(fromHex);
const KEY = /** @type {Uint8Array} */ (fromHex(ONE.content_key_hex));

/** @param {import("../../sealcam_hub/console/static/opener/source.mjs").Source} source */
async function sizeOf(source) {
  const header = await readHeader(source, SIGNERS);
  const { segments } = await survey(source, header);
  let size = 0;
  for await (const part of content(source, header, segmentKeys(header, KEY), segments)) size += part.length;
  return size;
}

/** @param {(request: any, response: any) => void} answer @param {(url: string) => Promise<void>} use */
async function serving(answer, use) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    await use(`http://127.0.0.1:${address.port}/`);
  } finally {
    server.closeAllConnections?.();
    server.close();
  }
}

/** @param {any} request @param {any} response */
function ranges(request, response) {
  const [from, to] = /** @type {number[]} */ (/bytes=(\d+)-(\d+)/.exec(request.headers.range)?.slice(1).map(Number));
  const end = Math.min(to + 1, CLIP.length);
  response.writeHead(206, { "content-range": `bytes ${from}-${end - 1}/${CLIP.length}` });
  response.end(CLIP.subarray(from, end));
}

test("memory, a blob, a file and a web server give the same clip", async () => {
  const folder = await mkdtemp(join(tmpdir(), "opener-"));
  await writeFile(join(folder, "clip"), CLIP);
  const file = await fromFile(join(folder, "clip"));
  for (const source of [fromBytes(CLIP), fromBlob(new Blob([CLIP])), file]) {
    assert.equal(await sizeOf(source), ONE.size);
  }
  await file.close();
  await rm(folder, { recursive: true });
  await serving(ranges, async (url) => assert.equal(await sizeOf(await fromUrl(url)), ONE.size));
});

test("a server that gives no parts, or more than was asked for, is an error", async () => {
  const whole = (/** @type {any} */ _, /** @type {any} */ response) => response.end(CLIP);
  await serving(whole, async (url) => assert.rejects(fromUrl(url), TypeError));
  const more = (/** @type {any} */ request, /** @type {any} */ response) => {
    if (request.headers.range === "bytes=0-0") return ranges(request, response);
    response.writeHead(206);
    return response.end(CLIP);
  };
  await serving(more, async (url) => {
    const source = await fromUrl(url);
    await assert.rejects(source.read(0, 70), Refused);
  });
});

test("no read asks for more than a segment", async () => {
  let most = 0;
  const source = fromBytes(CLIP);
  const watched = {
    size: source.size,
    read: (/** @type {number} */ from, /** @type {number} */ to) => {
      most = Math.max(most, to - from);
      return source.read(from, to);
    },
  };
  await sizeOf(watched);
  assert.equal(most, 1_048_945);
});

test("after a seek, one chunk costs its own bytes and the header", async () => {
  let read = 0;
  const source = fromBytes(CLIP);
  const watched = {
    size: source.size,
    read: (/** @type {number} */ from, /** @type {number} */ to) => {
      read += Math.min(to, source.size) - from;
      return source.read(from, to);
    },
  };
  const header = await readHeader(watched, SIGNERS);
  await openChunk(watched, header, segmentKeys(header, KEY), 16);
  assert.equal(read, 70 + header.bytes.length + 65_552);
});

test("a file that changes between the check and the opening is refused", async () => {
  const changing = CLIP.slice();
  const source = fromBytes(changing);
  const header = await readHeader(source, SIGNERS);
  const { segments } = await survey(source, header);
  changing[header.bytes.length + 1000] ^= 1;
  await assert.rejects(async () => {
    for await (const part of content(source, header, segmentKeys(header, KEY), segments)) void part;
  }, Refused);
});

test("a complete clip whose end isn't final gives nothing at all", async () => {
  const header = await readHeader(fromBytes(CLIP), SIGNERS);
  const { segments } = await survey(fromBytes(CLIP), header);
  const keys = segmentKeys(header, KEY);
  const swapped = segments.map((each) => (each.ends ? { ...each, number: 0, at: segments[0].at } : each));
  const parts = content(fromBytes(CLIP), header, keys, swapped);
  await assert.rejects(parts.next(), Refused);
});
