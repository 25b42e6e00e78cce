import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import tap from 'tap';
import { checkDataset } from './check.js';

const run = promisify(execFile);
const program = new URL('../../cli/main.js', import.meta.url).pathname;

tap.test('a set is counted, and photos spread over it are decoded', async (t) => {
  const dir = t.testdir();
  for (const person of ['anna', 'bob']) {
    mkdirSync(join(dir, person));
    for (let i = 0; i < 4; i++) {
      const create = { width: 32 + 8 * i, height: 40, channels: 3 as const, background: '#888' };
      await sharp({ create })
        .png()
        .toFile(join(dir, person, `${i}.png`));
    }
  }
  writeFileSync(join(dir, 'anna', 'notes.txt'), 'x');
  const whole = await checkDataset(dir, 'auto', 100);
  t.match(whole, { kind: 'folders', people: 2, photos: 8, faults: { ERR_DAF_BAD_IMAGE: 1 } });
  t.match(whole.sample, { decoded: 8, smallest: [32, 40], largest: [56, 40], damaged: [] });
  t.ok(whole.bytes > 0);
  t.equal((await checkDataset(dir, 'folders', 2)).sample.decoded, 2);
  writeFileSync(join(dir, 'l.jsonl'), '{"path":"anna/0.png","box":[1,1,9,9]}\n{"path":"gone.png"}\n{"path":"bob/0.png"}\n');
  writeFileSync(join(dir, 'bob', '0.png'), 'no picture');
  const failure = await run(process.execPath, [program, 'dataset', 'check', join(dir, 'l.jsonl'), '--json']).catch(
    (error) => error,
  );
  t.equal(failure.code, 1);
  t.match(JSON.parse(failure.stdout), {
    kind: 'list',
    photos: 2,
    hinted: 1,
    faults: { ERR_DAF_NOT_FOUND: 1 },
    sample: { decoded: 1, damaged: [{ error: { code: 'ERR_DAF_BAD_IMAGE' } }] },
  });
});
