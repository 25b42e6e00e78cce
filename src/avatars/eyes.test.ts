import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import tap from 'tap';
import { facePoints, peppaModel, yunetModel } from '../faces/models/onnx.test.fixture.js';

const run = promisify(execFile);
const url = (file: string): string => new URL(file, import.meta.url).href;
const WITHOUT_ORT = ['--import', url('../faces/vision/no-ort.test.fixture.js')];
const program = new URL('../cli/main.js', import.meta.url).pathname;

const home = await mkdtemp(join(tmpdir(), 'daf-eyes-'));
tap.teardown(() => rm(home, { recursive: true, force: true }));
const [models, photos] = [join(home, 'models'), join(home, 'photos')];
await mkdir(models);
await mkdir(photos);
await writeFile(join(models, 'detector.onnx'), yunetModel([]));
await writeFile(join(models, 'landmarks.onnx'), peppaModel(facePoints()));
const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#888' } })
  .png()
  .toBuffer();
await writeFile(join(photos, 'anna.png'), picture);

tap.test('daf avatar without onnxruntime fails before it starts anything', async (t) => {
  const out = join(home, 'out');
  const args = [...WITHOUT_ORT, program, 'avatar', photos, '--out', out, '--models', models, '--json'];
  const failure = await run(process.execPath, args).then(
    () => null,
    (error) => error as { code: number; stdout: string },
  );
  t.equal(failure?.code, 1);
  const { error } = JSON.parse(failure?.stdout ?? '{}') as { error: { code: string; hint: string } };
  t.match(error, { code: 'ERR_DAF_VISION_MISSING', hint: /^npm install onnxruntime-node/ });
  t.notOk(existsSync(out));
});

tap.test('a task on a machine without onnxruntime fails and refuses no photo', async (t) => {
  const script = `
    const { avatarInput } = await import(${JSON.stringify(url('./input.js'))});
    const { runStages } = await import(${JSON.stringify(url('./local.test.fixture.js'))});
    const { records } = await avatarInput([${JSON.stringify(photos)}]);
    const { code } = await runStages(records, { models: ${JSON.stringify(models)} }).catch((error) => error);
    process.stdout.write(String(code));`;
  const { stdout } = await run(process.execPath, [...WITHOUT_ORT, '--input-type=module', '-e', script]);
  t.equal(stdout, 'ERR_DAF_VISION_MISSING');
});

tap.test('one photo with a side-car, or models that are no good, are reason enough to start', async (t) => {
  const beside = join(home, 'beside');
  await mkdir(beside);
  await writeFile(join(beside, 'a.png'), picture);
  await writeFile(join(beside, 'b.png'), picture);
  await writeFile(join(beside, 'b.pts'), 'whatever it says');
  const script = `
    const { avatarInput } = await import(${JSON.stringify(url('./input.js'))});
    const { avatarOptions } = await import(${JSON.stringify(url('./options.js'))});
    const { checkEyes } = await import(${JSON.stringify(url('./eyes.js'))});
    const check = async (folder, models) => {
      const { records } = await avatarInput([folder]);
      return checkEyes(records, avatarOptions({ models })).then(() => 'start', ({ code }) => code);
    };
    process.stdout.write(JSON.stringify([
      await check(${JSON.stringify(beside)}, ${JSON.stringify(models)}),
      await check(${JSON.stringify(photos)}, '/no/such/folder'),
      await check(${JSON.stringify(photos)}, ${JSON.stringify(models)}),
    ]));`;
  const { stdout } = await run(process.execPath, [...WITHOUT_ORT, '--input-type=module', '-e', script]);
  t.same(JSON.parse(stdout), ['start', 'start', 'ERR_DAF_VISION_MISSING']);
});

tap.test('a model that is named and is none fails the command, not every photo', async (t) => {
  const cut = join(home, 'cut.onnx');
  const out = join(home, 'never');
  await writeFile(cut, peppaModel(facePoints()).subarray(0, 60));
  for (const [args, code] of [
    [['--landmarks', cut], 'ERR_DAF_BAD_MODEL'],
    [['--models', join(home, 'nowhere')], /^ERR_DAF_(MODEL_MISSING|NOT_FOUND)$/],
  ] as const) {
    const failure = await run(process.execPath, [program, 'avatar', photos, '--out', out, ...args, '--json']).then(
      () => null,
      (error) => error as { code: number; stdout: string },
    );
    t.equal(failure?.code, 1);
    t.match((JSON.parse(failure?.stdout ?? '{}') as { error: { code: string } }).error.code, code);
    t.notOk(existsSync(out));
  }
});
