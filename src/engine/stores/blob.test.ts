import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { blobStoreConformance } from './blob-conformance.js';
import { DirectoryBlobStore } from './blob-directory.js';
import { MemoryBlobStore } from './blob-memory.js';
import { openBlobStore, openStateStore } from './open.js';

const root = mkdtempSync(join(tmpdir(), 'daf-blobs-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
let places = 0;
const place = (): string => join(root, `${places++} ü\n%`);

t.test('in memory', async (t) => blobStoreConformance(t, async () => new MemoryBlobStore()));
t.test('directory', async (t) => blobStoreConformance(t, async () => new DirectoryBlobStore(place())));

t.test('directory: leftovers of dead writers go, those of living ones stay', async (t) => {
  const at = place();
  const store = new DirectoryBlobStore(at);
  const module = new URL('./blob-directory.js', import.meta.url).href;
  const script = `
    import { DirectoryBlobStore } from '${module}';
    const store = new DirectoryBlobStore(process.argv[1]);
    await store.put('_daf/j/x', (async function* () { yield Buffer.from('half'); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); })());`;
  t.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script, at]).signal, 'SIGKILL');
  t.equal(readdirSync(join(at, '_daf/tmp')).length, 1, 'the half-written file is there');
  t.equal(await store.stat('_daf/j/x'), null, 'but not under its name');
  let open: (() => void) | undefined;
  const writing = store.put(
    'slow',
    (async function* () {
      yield Buffer.from('x');
      await new Promise<void>((go) => {
        open = go;
      });
    })(),
  );
  while (open === undefined) await new Promise((go) => setTimeout(go, 2));
  await store.deletePrefix('_daf/j/');
  t.equal(readdirSync(join(at, '_daf/tmp')).length, 1, 'the living writer keeps its file');
  open();
  await writing;
  await store.deletePrefix('_daf/');
  t.notOk(existsSync(join(at, '_daf')), 'nothing is left of _daf/');
  t.same(readdirSync(at), ['slow']);
});

t.test('directory: writers of several processes race for one name', async (t) => {
  const at = place();
  const module = new URL('./blob-directory.js', import.meta.url).href;
  const script = `
    import { DirectoryBlobStore } from '${module}';
    const store = new DirectoryBlobStore(process.argv[1]);
    let won = 0;
    for (let i = 0; i < 40; i++) if (await store.putIfAbsent('k' + i, Buffer.from('x'))) won += 1;
    console.log(won);`;
  const { spawn } = await import('node:child_process');
  const wins = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<number>((done) => {
          let text = '';
          const child = spawn(process.execPath, ['--input-type=module', '-e', script, at], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          child.stdout.on('data', (part: Buffer) => {
            text += part.toString();
          });
          child.on('close', () => done(Number(text)));
        }),
    ),
  );
  t.equal(wins[0]! + wins[1]!, 40);
});

t.test('directory: clear errors', async (t) => {
  const at = place();
  mkdirSync(at);
  writeFileSync(join(at, 'file'), '');
  const store = new DirectoryBlobStore(at);
  await t.rejects(store.put('file/below', Buffer.from('x')), { code: 'ERR_DAF_IO' });
  await t.rejects(new DirectoryBlobStore(join(at, 'file')).put('x', Buffer.from('x')), { code: 'ERR_DAF_IO' });
  symlinkSync('/nowhere', join(at, 'link'));
  const seen: string[] = [];
  for await (const { key } of store.list('')) seen.push(key);
  t.same(seen, ['file'], 'links are not blobs');
  t.throws(() => openBlobStore('s3://Not_a_bucket'), { code: 'ERR_DAF_BAD_OPTION' });
  t.throws(() => openBlobStore('ftp://x'), { code: 'ERR_DAF_BAD_OPTION' });
  await t.rejects(openStateStore('postgres://user:secret@x'), { code: 'ERR_DAF_UNSUPPORTED', message: /^(?!.*secret)/ });
  t.equal(openBlobStore(pathToFileURL(at).href).url, store.url);
});

// The superuser passes every mode, so another uid tries.
t.test('directory: no permission', { skip: process.getuid?.() === 0 ? false : 'needs root to change uid' }, async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'daf-perm-'));
  t.teardown(() => rmSync(at, { recursive: true }));
  chmodSync(at, 0o755);
  // A private copy of what the other uid needs to read would hide nothing: it only runs code already loaded.
  const script = `
    const { DirectoryBlobStore } = await import(process.argv[1]);
    process.setuid(65534);
    await new DirectoryBlobStore(process.argv[2]).put('x', Buffer.from('x')).catch((error) => console.log(error.code));`;
  const module = new URL('./blob-directory.js', import.meta.url).href;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, module, at]);
  t.equal(run.stdout.toString().trim(), 'ERR_DAF_PERMISSION', run.stderr.toString());
});

t.test('directory: a full disk is ERR_DAF_IO and leaves the old bytes', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'daf-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', at]).status === 0;
  t.teardown(() => {
    if (mounted) spawnSync('umount', [at]);
    rmSync(at, { recursive: true, force: true });
  });
  if (!mounted) {
    t.pass('', { skip: 'cannot mount a small file system here' });
    return;
  }
  const store = new DirectoryBlobStore(at);
  await store.put('k', Buffer.alloc(100_000, 1));
  await t.rejects(store.put('k', Buffer.alloc(400_000, 2)), { code: 'ERR_DAF_IO', retryable: true });
  t.equal((await store.get('k'))[0], 1);
  await store.put('k', Buffer.alloc(100_000, 3));
  t.equal(readFileSync(join(at, 'k'))[0], 3, 'what failed was cleaned up');
});
