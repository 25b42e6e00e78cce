import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { BlobStore } from '../../core/contracts/stores.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const words = (data: Uint8Array): string => Buffer.from(data).toString();

async function keys(store: BlobStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

/** Every BlobStore passes this. `fresh` gives an empty store; `newlines`: whether the server behind it can have them in names. */
export function blobStoreConformance(t: Test, fresh: () => Promise<BlobStore>, newlines = true): void {
  t.test('put, get, stat, replace, delete', async (t) => {
    const store = await fresh();
    t.same(await store.put('a/b', bytes('one')), { key: 'a/b', bytes: 3 });
    t.equal(words(await store.get('a/b')), 'one');
    await store.put('a/b', bytes('other'));
    t.equal(words(await store.get('a/b')), 'other');
    t.match(await store.stat('a/b'), { key: 'a/b', bytes: 5 });
    t.equal(await store.stat('a'), null, 'a folder is not a blob');
    t.equal(await store.stat('a/b/c'), null);
    await store.delete('a/b');
    await store.delete('a/b');
    t.equal(await store.stat('a/b'), null);
    for (const missing of [() => store.get('a/b'), () => store.getRange('zz', 0, 1), () => store.publish('a/b', 'c')]) {
      await t.rejects(async () => void (await missing()), { code: 'ERR_DAF_NOT_FOUND' });
    }
  });

  t.test('streams, empty blobs, ranges', async (t) => {
    const store = await fresh();
    await store.put(
      'stream',
      (async function* () {
        for (const part of ['abc', '', 'def']) yield bytes(part);
      })(),
    );
    t.equal(words(await store.get('stream')), 'abcdef');
    t.equal(words(await store.getRange('stream', 2, 3)), 'cde');
    t.equal(words(await store.getRange('stream', 4, 100)), 'ef');
    t.equal((await store.getRange('stream', 6, 1)).length, 0);
    t.equal((await store.getRange('stream', 60, 1)).length, 0);
    await store.put('empty', new Uint8Array());
    t.equal((await store.get('empty')).length, 0);
    const broken = (async function* () {
      yield bytes('half');
      throw new Error('source failed');
    })();
    await t.rejects(store.put('stream', broken));
    t.equal(words(await store.get('stream')), 'abcdef', 'a failed put leaves the old bytes');
    await t.rejects(
      store.put(
        'never',
        (async function* () {
          yield bytes('x');
          throw new Error('no');
        })(),
      ),
    );
    t.equal(await store.stat('never'), null);
  });

  t.test('any UTF-8 name, in byte order', async (t) => {
    const store = await fresh();
    const names = [
      'a',
      'a-b',
      'a/1',
      'a/1-2',
      newlines ? 'a/é\n"\\ x' : 'a/é"\\ x',
      'a/日本',
      'a/😀',
      'a/\uffee',
      'aa',
      'b c/ %2F',
      'Ünï/ö',
      ' ',
    ];
    for (const name of names.filter((each) => each !== 'a')) await store.put(name, bytes(name));
    for (const name of names.filter((each) => each !== 'a')) t.equal(words(await store.get(name)), name);
    const order = names.filter((each) => each !== 'a').sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
    t.same(await keys(store, ''), order);
    t.same(await keys(store, 'a/1'), ['a/1', 'a/1-2'], 'a prefix is not a folder');
    t.same(
      await keys(store, 'a/'),
      order.filter((each) => each.startsWith('a/')),
    );
    t.same(await keys(store, 'nothing/'), []);
  });

  t.test('keys that break the rules', async (t) => {
    const store = await fresh();
    const wrong = [
      '',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      'a/../b',
      './a',
      'a\0b',
      '\ud800',
      'x'.repeat(256),
      `${'y/'.repeat(600)}z`,
      '_daf/tmp/x',
    ];
    for (const key of wrong) {
      await t.rejects(async () => store.put(key, bytes('x')), { code: 'ERR_DAF_BAD_ARGUMENT' }, JSON.stringify(key).slice(0, 40));
      await t.rejects(async () => store.get(key), { code: 'ERR_DAF_BAD_ARGUMENT' });
    }
    t.same(await keys(store, ''), []);
  });

  t.test('putIfAbsent: one of many wins', async (t) => {
    const store = await fresh();
    const won = await Promise.all(
      Array.from({ length: 12 }, (_, i) => store.putIfAbsent('m/manifest.json', bytes(`writer ${i}`))),
    );
    t.equal(won.filter(Boolean).length, 1);
    t.equal(words(await store.get('m/manifest.json')), `writer ${won.indexOf(true)}`);
    t.equal(await store.putIfAbsent('m/manifest.json', bytes('late')), false);
    t.same(await keys(store, ''), ['m/manifest.json'], 'losers leave nothing');
  });

  t.test('readers see the old bytes or the new', async (t) => {
    const store = await fresh();
    const [old, fresher] = [Buffer.alloc(300_000, 'o'), Buffer.alloc(200_000, 'n')];
    await store.put('k', old);
    let writing = true;
    const writer = (async () => {
      for (let i = 0; i < 20; i++) await store.put('k', i % 2 === 0 ? fresher : old);
      writing = false;
    })();
    let mixed = 0;
    while (writing) {
      const seen = Buffer.from(await store.get('k'));
      if (!seen.equals(old) && !seen.equals(fresher)) mixed += 1;
    }
    await writer;
    t.equal(mixed, 0);
  });

  t.test('publish gives a final name, again and again', async (t) => {
    const store = await fresh();
    await store.put('_daf/job/map-0/a1/x', bytes('result'));
    t.equal(await store.publish('_daf/job/map-0/a1/x', 'out/part-0'), true);
    t.equal(await store.publish('_daf/job/map-0/a1/x', 'out/part-0'), true, 'idempotent');
    await store.put('_daf/job/map-0/a2/x', bytes('result'));
    t.equal(await store.publish('_daf/job/map-0/a2/x', 'out/part-0'), true, 'same bytes from another attempt');
    await store.put('_daf/job/map-0/a3/x', bytes('RESULT'));
    t.equal(await store.publish('_daf/job/map-0/a3/x', 'out/part-0'), false, 'a conflict changes nothing');
    t.equal(words(await store.get('out/part-0')), 'result');
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.publish('_daf/job/map-0/a1/x', `many/${i % 5}/${i}`)),
    );
    t.ok(many.every(Boolean));
    await store.deletePrefix('_daf/job/');
    t.same((await keys(store, '')).length, 21);
    t.equal(words(await store.get('out/part-0')), 'result', 'published bytes outlive the attempt');
    t.same(await keys(store, '_daf/'), []);
  });

  t.test('putFile moves a file in', async (t) => {
    const store = await fresh();
    const directory = mkdtempSync(join(tmpdir(), 'daf-put-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'f');
    writeFileSync(path, 'content');
    t.same(await store.putFile('a/f', path), { key: 'a/f', bytes: 7 });
    t.equal(words(await store.get('a/f')), 'content');
    t.throws(() => readFileSync(path), { code: 'ENOENT' });
    await t.rejects(store.putFile('a/g', path), { code: 'ERR_DAF_NOT_FOUND' });
    const local = store.localPath('a/f');
    if (local !== null) t.equal(readFileSync(local, 'utf8'), 'content');
  });

  t.test('deletePrefix spares its neighbours', async (t) => {
    const store = await fresh();
    for (const key of ['_daf/a/1', '_daf/a/2/3', '_daf/ab/1', 'keep']) await store.put(key, bytes(key));
    await store.deletePrefix('_daf/a/');
    t.same(await keys(store, ''), ['_daf/ab/1', 'keep']);
    await store.deletePrefix('_daf/none/');
    await store.deletePrefix('_daf/');
    t.same(await keys(store, ''), ['keep']);
  });
}
