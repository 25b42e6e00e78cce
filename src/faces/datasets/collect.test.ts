import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tap from 'tap';
import { collect, readCollectManifest } from './collect.js';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

tap.test('files are fetched at once, verified, and only once', async (t) => {
  const asked: string[] = [];
  let broken = true;
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.end(request.url === '/c' && broken ? 'other bytes' : `bytes of ${request.url}`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dir = t.testdir();
  const files = ['a', 'b', 'c'].map((name) => ({
    url: `${base}/${name}`,
    path: `x/${name}.bin`,
    sha256: hash(`bytes of /${name}`),
  }));
  writeFileSync(join(dir, 'm.json'), JSON.stringify({ name: 'set', licence: 'CC0', files }));
  const manifest = await readCollectManifest(join(dir, 'm.json'));
  const to = join(dir, 'out');
  const states = async () =>
    (await collect(manifest, { to, parallel: 2, retryMs: 1 })).map(({ state, error }) => `${state} ${error?.code ?? ''}`.trim());
  t.same(await states(), ['fetched', 'fetched', 'failed ERR_DAF_VERIFY']);
  t.notOk(existsSync(join(to, 'x/c.bin')), 'wrong bytes get no name');
  broken = false;
  asked.length = 0;
  writeFileSync(join(to, 'x/b.bin'), 'damaged since');
  t.same(await states(), ['there', 'fetched', 'fetched']);
  t.same(asked.sort(), ['/b', '/c']);
  t.equal(readFileSync(join(to, 'x/b.bin'), 'utf8'), 'bytes of /b');
  const stop = AbortSignal.abort();
  await t.rejects(collect(manifest, { to, parallel: 1, signal: stop }), { code: 'ERR_DAF_CANCELLED' });
});

tap.test('manifests that could not be verified or would leave the folder are refused', async (t) => {
  const file = join(t.testdir(), 'm.json');
  const good = { url: 'https://example.org/a', path: 'a', sha256: '0'.repeat(64) };
  const cases: [unknown, RegExp][] = [
    [{ ...good, sha256: undefined }, /no SHA-256/],
    [{ ...good, path: '../a' }, /below the folder/],
    [{ ...good, path: '/a' }, /below the folder/],
    [{ ...good, path: 'x/../../a' }, /below the folder/],
    [{ ...good, url: 'ftp://example.org/a' }, /no http address/],
    [{ ...good, bytes: -1 }, /no whole number/],
  ];
  for (const [each, message] of cases) {
    writeFileSync(file, JSON.stringify({ name: 'set', files: [each] }));
    await t.rejects(readCollectManifest(file), { code: 'ERR_DAF_BAD_DATA', message });
  }
  writeFileSync(file, JSON.stringify({ name: 'set', files: [good, { ...good, path: './a' }] }));
  await t.rejects(readCollectManifest(file), { code: 'ERR_DAF_BAD_DATA', message: /another one/ });
  writeFileSync(file, '{');
  await t.rejects(readCollectManifest(file), { code: 'ERR_DAF_BAD_DATA' });
  await t.rejects(readCollectManifest(`${file}x`), { code: 'ERR_DAF_NOT_FOUND' });
});
