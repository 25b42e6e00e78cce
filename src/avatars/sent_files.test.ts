import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import tap from 'tap';
import { facePoints } from '../faces/models/onnx.test.fixture.js';
import { openVision } from '../faces/vision/prepare.js';
import { avatarInput, decodeInput, encodeInput, type InputRecord, type PhotoRecord } from './input.js';
import { observe } from './observe.js';
import { withFiles } from './sent_files.js';

const picture = await sharp({ create: { width: 200, height: 200, channels: 3, background: '#a08070' } })
  .png()
  .toBuffer();
const face = facePoints();
const points = `version: 1\nn_points: 68\n{\n${Array.from({ length: 68 }, (_, i) => `${50 + 100 * face[2 * i]!} ${50 + 100 * face[2 * i + 1]!}`).join('\n')}\n}\n`;

/** As a worker gets it that has none of the files. */
async function travelled(record: InputRecord): Promise<PhotoRecord> {
  const sent = decodeInput(encodeInput(await withFiles(record))) as PhotoRecord;
  return { ...sent, path: '/nowhere' };
}

tap.test('a photo that was sent gives what the file gives, its landmarks too', async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'anna'));
  writeFileSync(join(folder, 'anna', '1.png'), picture);
  writeFileSync(join(folder, 'anna', '1.pts'), points);
  const { records } = await avatarInput([folder]);
  const photo = records[0] as PhotoRecord;
  const sent = await travelled(photo);
  t.match(sent.sent, { sidecar: { name: /1\.pts$/ } });
  const vision = await openVision({ models: { detector: null, landmarks: null } });
  t.teardown(() => vision.dispose());
  const control = new Int32Array(new SharedArrayBuffer(16));
  const observation = await observe(sent, vision, control);
  t.same(observation, await observe(photo, vision, control));
  t.equal(observation.source, 'sidecar');
});

tap.test('what cannot be sent is refused by the worker, by name and code', async (t) => {
  const folder = t.testdir();
  const vision = await openVision({ models: { detector: null, landmarks: null } });
  t.teardown(() => vision.dispose());
  execFileSync('mkfifo', [join(folder, 'pipe.png')]);
  writeFileSync(join(folder, 'large.png'), '');
  truncateSync(join(folder, 'large.png'), 65 << 20);
  for (const [name, code] of [
    ['gone.png', 'ERR_DAF_NOT_FOUND'],
    ['pipe.png', 'ERR_DAF_BAD_IMAGE'],
    ['large.png', 'ERR_DAF_IMAGE_TOO_LARGE'],
  ] as const) {
    const photo = await travelled({ name, path: join(folder, name), pathBytes: null, identity: 'a', person: 0 });
    await t.rejects(observe(photo, vision, new Int32Array(new SharedArrayBuffer(16))), { code }, name);
  }
  const refused = { name: 'x', refused: { code: 'ERR_DAF_IO', message: 'm', hint: null } } as const;
  t.same(await withFiles(refused), refused);
});

tap.test('a record whose files were cut is no photo', (t) => {
  const bytes = encodeInput({
    ...{ name: 'a', path: '/a.png', pathBytes: null, identity: 'a', person: 0 },
    sent: { photo: picture, sidecar: { name: 'a.pts', bytes: Buffer.from(points) } },
  });
  for (const cut of [bytes.subarray(0, bytes.length - 1), bytes.subarray(0, bytes.indexOf(0x0a) + 1)]) {
    t.throws(() => decodeInput(cut), { code: 'ERR_DAF_BAD_DATA' });
  }
  t.end();
});
