import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tap from 'tap';
import { download } from './download.js';

const body = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const sha256 = createHash('sha256').update(body).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(
  t: { teardown(fn: () => void): void },
  answer: Answer,
): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`, ranges };
}

/** A server as most are: ranges, and an ETag that If-Range is compared with. */
function send(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  etag: string,
  cutAfter: number | null = null,
): void {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const same = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const from = asked !== null && same ? Number(asked[1]) : 0;
  if (from > 0 && from >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  response.writeHead(from > 0 ? 206 : 200, {
    etag,
    'content-length': bytes.length - from,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  if (cutAfter === null) return void response.end(bytes.subarray(from));
  response.write(bytes.subarray(from, from + cutAfter), () => response.destroy());
}

tap.test('cut connections are gone on with where they ended', async (t) => {
  const { url, ranges } = await serve(t, (request, response) =>
    send(request, response, body, '"a"', ranges.length < 3 ? 100_000 : null),
  );
  const to = join(t.testdir(), 'file.bin');
  const { bytes, resumed, sha256: found } = await download({ url, to, sha256, retryMs: 1 });
  t.same([bytes, found], [body.length, sha256]);
  t.ok(readFileSync(to).equals(body));
  t.equal(ranges.length, 3);
  t.ok(resumed > 0 && ranges[2] === `bytes=${resumed}-`, 'the last request asked for the rest alone');
  t.notOk(existsSync(`${to}.part`) || existsSync(`${to}.part.json`));
});

tap.test('what an earlier run left is resumed, and thrown away where the file has changed', async (t) => {
  const { url, ranges } = await serve(t, (request, response) => send(request, response, body, '"new"'));
  const to = join(t.testdir(), 'file.bin');
  const leave = (bytes: Buffer, validator: string): void => {
    writeFileSync(`${to}.part`, bytes);
    writeFileSync(`${to}.part.json`, JSON.stringify({ url, validator }));
  };
  leave(body.subarray(0, 1000), '"new"');
  t.equal((await download({ url, to, sha256 })).resumed, 1000);
  t.equal(ranges.at(-1), 'bytes=1000-');
  leave(Buffer.alloc(1000, 7), '"old"');
  t.equal((await download({ url, to, sha256 })).resumed, 0, 'If-Range no longer holds');
  leave(Buffer.alloc(1000, 7), '"new"');
  t.equal((await download({ url, to, sha256 })).resumed, 0, 'a wrong part is found by the hash, and all is fetched once more');
  leave(body, '"new"');
  t.equal((await download({ url, to, sha256 })).resumed, body.length, 'whole, only not yet named');
  t.ok(readFileSync(to).equals(body));
});

tap.test('wrong bytes leave nothing', async (t) => {
  const { url } = await serve(t, (request, response) =>
    send(request, response, Buffer.concat([body.subarray(1), Buffer.of(0)]), '"a"'),
  );
  const to = join(t.testdir(), 'file.bin');
  await t.rejects(download({ url, to, sha256 }), { code: 'ERR_DAF_VERIFY' });
  await t.rejects(download({ url, to, sha256: null, bytes: 5 }), { code: 'ERR_DAF_VERIFY' });
  await t.rejects(download({ url, to, sha256, maxBytes: 1000 }), { code: 'ERR_DAF_BAD_DATA' });
  t.notOk(existsSync(to));
});

tap.test('servers that refuse, fail, fall silent or are not there', async (t) => {
  let answers = 0;
  const { url } = await serve(t, (request, response) => {
    answers += 1;
    if (request.url === '/silent') return;
    response.writeHead(Number(request.url?.slice(1)) || 500).end('no');
  });
  const to = join(t.testdir(), 'file.bin');
  const of = (path: string, attempts = 3) =>
    download({ url: new URL(path, url).href, to, sha256, attempts, retryMs: 1, idleMs: 50 });
  await t.rejects(of('/404'), { code: 'ERR_DAF_NOT_FOUND' });
  await t.rejects(of('/403'), { code: 'ERR_DAF_PERMISSION', hint: /your own account/ });
  t.equal(answers, 2, 'refusals are final');
  await t.rejects(of('/503'), { code: 'ERR_DAF_UNREACHABLE' });
  t.equal(answers, 5, 'failures are tried again');
  await t.rejects(of('/silent', 2), { code: 'ERR_DAF_UNREACHABLE' });
  await t.rejects(download({ url: 'http://127.0.0.1:1/', to, sha256, attempts: 1 }), { code: 'ERR_DAF_UNREACHABLE' });
  await t.rejects(download({ url: 'ftp://127.0.0.1/', to, sha256 }), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.notOk(existsSync(to));
});

tap.test('an interrupted download keeps what came', async (t) => {
  const stop = new AbortController();
  const { url } = await serve(t, (_request, response) => {
    response.writeHead(200, { etag: '"a"', 'content-length': body.length });
    response.write(body.subarray(0, 50_000));
  });
  const to = join(t.testdir(), 'file.bin');
  const progress = (received: number): void => {
    if (received >= 50_000) stop.abort();
  };
  await t.rejects(download({ url, to, sha256, signal: stop.signal, progress }), { code: 'ERR_DAF_CANCELLED' });
  t.equal(readFileSync(`${to}.part`).length, 50_000);
});
