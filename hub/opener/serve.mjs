// Serves the page that opens clips from this folder, to this machine alone, under the policy that the console gives it.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { Misuse } from "../sealcam_hub/console/static/opener/files.mjs";

const FOLDER = new URL("../sealcam_hub/console/static/", import.meta.url);
const TYPES = /** @type {Record<string, string>} */ ({
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
});
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; " +
    "media-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
// The page, and what it shares with the console; names without dots but the last, so no way leads out.
const SERVED = /^\/(?:base\.css|mark\.svg|opener\/(?:vendor\/)?[a-z-]+\.(?:html|css|mjs|libsodium))$/;

/** @param {{port?: string}} given */
export async function serve({ port = "8490" }) {
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535) throw new Misuse("--port takes 0 to 65535", "leave it out");
  const server = createServer(async (request, response) => {
    const path = request.url?.split("?")[0] ?? "";
    const own = /^(?:localhost|127\.0\.0\.1)(?::[0-9]+)?$/.test(request.headers.host ?? "");
    if (own && path === "/") return response.writeHead(307, { location: "/opener/index.html" }).end();
    const bytes = own && SERVED.test(path) ? await readFile(new URL(`.${path}`, FOLDER)).catch(() => null) : null;
    if (bytes === null) return response.writeHead(404, HEADERS).end();
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain";
    return response.writeHead(200, { ...HEADERS, "content-type": type }).end(bytes);
  });
  await new Promise((resolve, reject) =>
    server.once("error", reject).listen(Number(port), "127.0.0.1", () => resolve(null)),
  );
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  process.stdout.write(`open http://localhost:${address.port}/ in a browser; Ctrl-C ends it\n`);
}
