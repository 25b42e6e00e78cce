import { readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DafError } from '../../core/contracts/errors.js';
import type { SplitPiece } from '../../core/contracts/job.js';
import { temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { s3Program } from '../../testing/s3-server.js';
import { defineJob } from '../jobs/define.js';
import { openBlobStore } from '../stores/open-blob.js';
import { openSource } from '../worker/input/source.js';
import { Cluster } from './cluster.js';
import { startS3 } from './s3.test.fixture.js';
import { listS3 } from './s3-inputs.js';

/** Its first map ends when there is a file of the name that it is given. */
const waiting = defineJob({
  name: 'waiting',
  async map({ source, value }, emit, { index, params }) {
    const { existsSync } = await import('node:fs');
    while (index === 0 && !existsSync(String(params['go']))) await new Promise((resolve) => setTimeout(resolve, 5));
    emit(source, value);
  },
});

/** Of each error of the chain. */
function codes(error: unknown): string[] {
  const all: string[] = [];
  for (let at: unknown = error; DafError.is(at); at = at.cause) all.push(at.code);
  return all;
}

t.test('an input that is rewritten while a job runs, with as many bytes, fails the job at once', async (t) => {
  await using cluster = await Cluster.local({ workers: 1, threads: 1 });
  const ways: Readonly<Record<string, (file: string) => void>> = {
    'in place': (file) => writeFileSync(file, 'new\n'),
    'by another file': (file) => {
      writeFileSync(`${file}.new`, 'new\n');
      renameSync(`${file}.new`, file);
    },
  };
  for (const [way, rewrite] of Object.entries(ways)) {
    const folder = temporaryDirectory(t);
    writeFiles(folder, { a: 'old\n', b: 'old\n' });
    const go = join(folder, 'go');
    const job = await cluster.submit(waiting, {
      input: [join(folder, 'a'), join(folder, 'b')],
      output: join(folder, 'out'),
      splitSize: 4,
      params: { go },
    });
    let failures = 0;
    let begun = false;
    for await (const event of job.progress()) {
      if (event.kind === 'attempt-failed') failures += 1;
      if (event.kind !== 'progress' || event.status.map.running === 0 || begun) continue;
      begun = true;
      rewrite(join(folder, 'b'));
      writeFileSync(go, '');
    }
    const error = await job.result().then(
      () => null,
      (reason: unknown) => reason,
    );
    t.ok(codes(error).includes('ERR_DAF_INPUT_CHANGED'), `${way}: ${codes(error)}`);
    t.equal(failures, 1, 'another try would end the same');
  }
});

const PIECE: SplitPiece = {
  ...{ name: 'b', path: '', stored: false, offset: 0, length: 4, fileLength: 4, version: null, compression: null },
  ...{ unpackedOffset: 0, unpackedLength: null, split: 0, at: 0 },
};

t.test('a file that is written to while it is read is noticed at its end', async (t) => {
  const folder = temporaryDirectory(t);
  const path = join(folder, 'b');
  writeFileSync(path, 'old\n');
  utimesSync(path, 1, 1);
  const source = await openSource({ ...PIECE, path, version: 'mtime 1000' }, openBlobStore(`file://${folder}`));
  await source.read(Buffer.alloc(4), 0, 4, 0);
  source.check?.();
  writeFileSync(path, 'new\n');
  t.throws(() => source.check?.(), { code: 'ERR_DAF_INPUT_CHANGED', hint: /submit it again/ });
  source.close();
  t.equal(readFileSync(path, 'utf8'), 'new\n');
});

const skip = s3Program() === null ? 'no S3 server (versitygw or moto_server)' : false;
t.test('an object that was put again is another one', { skip, timeout: 120_000 }, async (t) => {
  await startS3(t);
  const store = openBlobStore('s3://books');
  await store.put('one', Buffer.from('old\n'));
  for (const input of ['s3://books/one', 's3://books/on*']) {
    await store.put('one', Buffer.from('old\n'));
    for await (const { name, path, version } of listS3(input)) {
      const piece = { ...PIECE, name, path, version };
      (await openSource(piece, store)).close();
      await store.put('one', Buffer.from('new\n'));
      await t.rejects(
        Promise.resolve(openSource(piece, store)),
        { code: 'ERR_DAF_INPUT_CHANGED', message: /another object/ },
        input,
      );
    }
  }
});
