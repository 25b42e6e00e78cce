import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import tap from 'tap';
import { sharedData } from '../../testing/engine-fixture.js';
import { addModel } from './add.js';
import { embeddedModels } from './embedded.js';
import { KNOWN_MODELS } from './known.js';
import { constantModel, facePoints, peppaModel, ultrafaceModel, yunetModel } from './onnx.test.fixture.js';
import { listPacks, readPack, registryFolder, removePack, verifyPack } from './registry.js';
import { resolveModels } from './resolve.js';

const run = promisify(execFile);
const program = new URL('../../cli/main.js', import.meta.url).pathname;
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const other = constantModel({ name: 'x', dims: [1, 10] }, [{ name: 'y', dims: [1, 2] }]);

tap.test('the registry lies where the environment says', async (t) => {
  t.equal(registryFolder({ DAF_HOME: '/d', XDG_DATA_HOME: '/x', HOME: '/h' }), '/d/models');
  t.equal(registryFolder({ XDG_DATA_HOME: '/x', HOME: '/h' }), '/x/daf/models');
  t.equal(registryFolder({ XDG_DATA_HOME: 'relative', HOME: '/h' }), '/h/.local/share/daf/models');
  t.throws(() => registryFolder({}), { code: 'ERR_DAF_UNSUPPORTED' });
});

tap.test('files and folders are added, pinned, found, verified and removed', async (t) => {
  const dir = t.testdir({
    in: { 'a.onnx': yunetModel([]), 'b.onnx': peppaModel(facePoints()), 'c.onnx': other, LICENSE: '\n  Some Licence\nmore' },
    'fast.onnx': ultrafaceModel([]),
    'odd.onnx': other,
  } as never);
  const registry = join(dir, 'home', 'models');
  const env = { DAF_HOME: join(dir, 'home') };
  t.same(await resolveModels({}, env), embeddedModels(), 'no registry yet');
  const single = await addModel(join(dir, 'fast.onnx'), { registry, licence: 'MIT' });
  t.match(single.pack, { name: 'fast', licence: 'MIT', files: [{ adapter: 'ultraface', sha256: hash(ultrafaceModel([])) }] });
  t.match(await resolveModels({}, env), { detector: { adapter: 'ultraface' }, landmarks: embeddedModels().landmarks });
  const folder = await addModel(join(dir, 'in'), { registry });
  t.match(folder.pack, { name: 'in', licence: 'Some Licence (LICENSE)', files: [{ adapter: 'yunet' }, { adapter: 'peppa68' }] });
  t.match(folder.leftOut, [/c\.onnx is of no known kind/]);
  t.ok(existsSync(join(registry, 'in', 'LICENSE')));
  t.equal((await addModel(join(dir, 'in'), { registry })).unchanged, true);
  const found = await resolveModels({}, env);
  t.same(found, {
    detector: { file: join(registry, 'in', 'a.onnx'), adapter: 'yunet' },
    landmarks: { file: join(registry, 'in', 'b.onnx'), adapter: 'peppa68' },
  });
  await t.rejects(addModel(join(dir, 'odd.onnx'), { registry }), {
    code: 'ERR_DAF_BAD_MODEL',
    message: /x \[1,10\]/,
    hint: /YuNet.*\[1,3,160,160\]/,
  });
  await t.rejects(addModel(join(dir, 'fast.onnx'), { registry, name: 'in' }), {
    code: 'ERR_DAF_OUTPUT_EXISTS',
    hint: /remove in/,
  });
  await t.rejects(addModel(join(dir, 'fast.onnx'), { registry, sha256: '0'.repeat(64) }), { code: 'ERR_DAF_VERIFY' });
  await t.rejects(addModel(join(dir, 'fast.onnx'), { registry, name: '../x' }), { code: 'ERR_DAF_BAD_OPTION' });
  await t.rejects(addModel('no-such-thing', { registry }), { code: 'ERR_DAF_NOT_FOUND', hint: /peppa-68/ });
  await t.rejects(addModel('http://example.org/a.onnx', { registry }), { code: 'ERR_DAF_BAD_OPTION', hint: /sha256/ });

  writeFileSync(join(registry, 'in', 'b.onnx'), peppaModel(facePoints().map((x) => x / 2)));
  writeFileSync(join(registry, 'in', 'new.onnx'), ultrafaceModel([]));
  const states = (await verifyPack(registry, (await readPack(registry, 'in'))!)).map(({ file, state }) => `${file} ${state}`);
  t.same(states, ['a.onnx ok', 'b.onnx changed', 'new.onnx unpinned']);
  await t.rejects(resolveModels({}, env), { code: 'ERR_DAF_VERIFY', message: /in\/b\.onnx/ });
  await removePack(registry, 'in');
  await t.rejects(removePack(registry, 'in'), { code: 'ERR_DAF_NOT_FOUND', hint: /fast/ });
  t.same(
    (await listPacks(registry)).map(({ name }) => name),
    ['fast'],
  );
  t.same(
    readdirSync(registry).filter((name) => name.startsWith('.adding')),
    [],
  );
  writeFileSync(join(registry, 'fast', 'pack.json'), '{"version":1');
  await t.rejects(listPacks(registry), { code: 'ERR_DAF_BAD_DATA', hint: /models remove fast/ });
});

tap.test('an address is fetched, inspected and pinned by the command line', async (t) => {
  const bytes = yunetModel([]);
  const server = createServer((request, response) => response.end(request.url === '/odd.onnx' ? other : bytes));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { ...process.env, DAF_HOME: t.testdir() };
  const daf = (...args: string[]) =>
    run(process.execPath, [program, 'models', ...args, '--json'], { env }).then(
      ({ stdout, stderr }) => ({ code: 0, stderr, json: JSON.parse(stdout) }),
      (error) => ({ code: error.code as number, stderr: error.stderr as string, json: JSON.parse(error.stdout) }),
    );
  const added = await daf('add', `${base}/face.onnx`, '--sha256', hash(bytes), '--licence', 'MIT');
  t.match(added.stderr, /licence: MIT/, 'shown before it is fetched');
  t.match(added.json.added[0].pack, { name: 'face', licence: 'MIT', source: `${base}/face.onnx` });
  t.match((await daf('list')).json.packs, [{ name: 'face' }]);
  t.match(await daf('verify'), { code: 0, json: { verdicts: [{ state: 'ok' }] } });
  t.match(await daf('add', `${base}/odd.onnx`), { code: 1, json: { error: { code: 'ERR_DAF_BAD_MODEL' } } });
  writeFileSync(join(env.DAF_HOME, 'models', 'face', 'face.onnx'), 'changed');
  t.match(await daf('verify'), { code: 1, json: { verdicts: [{ state: 'changed' }] } });
  t.match(await daf('remove', 'face'), { code: 0 });
});

const shared = sharedData();
tap.test('the known hashes are those of the real files', { skip: shared === null && 'no shared data' }, async (t) => {
  const registry = join(t.testdir(), 'models');
  for (const known of KNOWN_MODELS) {
    const file = join(shared!, 'models', known.file);
    t.same([readFileSync(file).length, hash(readFileSync(file))], [known.bytes, known.sha256], known.name);
    const { pack } = await addModel(file, { registry, name: known.name, sha256: known.sha256 });
    t.equal(pack.licence, known.licence);
  }
  t.match(await resolveModels({}, { DAF_HOME: join(registry, '..') }), {
    detector: { adapter: 'yunet' },
    landmarks: { adapter: 'peppa68' },
  });
});
