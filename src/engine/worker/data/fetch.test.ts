import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { curveKeyPair } from 'zeromq';
import { addon } from '../../../core/addon/index.js';
import { RecordBatch } from '../../../core/addon/records.js';
import type { Member } from '../../../core/contracts/messages.js';
import type { TaskSource } from '../../../core/contracts/task.js';
import { temporaryDirectory } from '../../../testing/engine-fixture.js';
import { sampleSpec, sampleStep } from '../../stores/state-conformance.js';
import { AllowList, decodeAtHolder, encode, freshIpcEndpoint, type Peer, RouterSocket } from '../../wire/index.js';
import { Fetcher, type Wanted } from './fetcher.js';
import { gatherInputs } from './gather.js';
import { DataHolder } from './holder.js';

const never = (): boolean => false;

/** A worker that holds files, and a reader. */
async function pair(
  t: Test,
  beside: string,
): Promise<{ folder: string; endpoint: string; fetcher: Fetcher; holder: DataHolder }> {
  const dataDir = temporaryDirectory(t);
  const folder = join(dataDir, 'job', 'maker');
  mkdirSync(folder, { recursive: true });
  const fetcher = new Fetcher('secret');
  const holder = await DataHolder.open({ dataDir, worker: 'maker', token: 'secret', beside, fetcher });
  t.teardown(async () => {
    await fetcher.close();
    await holder.close();
  });
  return { folder, endpoint: holder.endpoint!, fetcher, holder };
}

/** Everything that a fetch writes, put where it says. */
async function fetchAll(fetcher: Fetcher, endpoint: string, wanted: Wanted, crc: number | null = null): Promise<Buffer> {
  const parts: { at: number; bytes: Buffer }[] = [];
  const bytes = await fetcher.fetch(
    endpoint,
    wanted,
    crc,
    async (chunk, at) => {
      parts.push({ at, bytes: Buffer.from(chunk) });
    },
    never,
  );
  const all = Buffer.alloc(bytes);
  for (const part of parts) all.set(part.bytes, part.at);
  return all;
}

function writeSegments(path: string, partitions: number): void {
  const writer = new (addon().MapWriter)({
    path,
    partitions,
    bufferBytes: 1 << 20,
    combine: false,
    customPartitions: false,
    groupPrefix: 0,
    fanIn: 4,
    control: null,
  });
  const batch = new RecordBatch(1 << 16, (packed) => void writer.append(packed, null));
  for (let i = 0; i < 2000; i++) batch.add(`key-${i}`, `value-${i}`);
  batch.flush();
  writer.finish();
  writer.dispose();
}

for (const beside of ['ipc:///x', 'tcp://127.0.0.1:1']) {
  t.test(`a file larger than the credit arrives whole (${beside.slice(0, 3)})`, async (t) => {
    const { folder, endpoint, fetcher } = await pair(t, beside);
    const bytes = Buffer.alloc(3_500_000, 'abcdefg');
    writeFileSync(join(folder, 'map-0-g0-a1.1.rec'), bytes);
    writeFileSync(join(folder, 'map-1-g0-a1.2.rec'), '');
    const wanted = { job: 'job', attempt: 'map-0-g0-a1.1', kind: 'rec', partition: 0 } as const;
    const crc = addon().crc32c(0, bytes);
    t.equal(Buffer.compare(await fetchAll(fetcher, endpoint, wanted, crc), bytes), 0);
    t.equal((await fetchAll(fetcher, endpoint, { ...wanted, attempt: 'map-1-g0-a1.2' }, 0)).length, 0, 'an empty one');
    await t.rejects(fetchAll(fetcher, endpoint, wanted, crc + 1), { code: 'ERR_DAF_BAD_DATA' }, 'another checksum');
    await t.rejects(fetchAll(fetcher, endpoint, { ...wanted, attempt: 'map-9-g0-a1.9' }), { code: 'ERR_DAF_NOT_FOUND' });
  });
}

t.test('one partition of a segment file, merged as if it lay here', async (t) => {
  const { folder, endpoint, fetcher } = await pair(t, 'ipc:///x');
  const path = join(folder, 'map-0-g0-a1.1.seg');
  writeSegments(path, 3);
  const wanted = { job: 'job', attempt: 'map-0-g0-a1.1', kind: 'seg', partition: 1 } as const;
  const bytes = await fetchAll(fetcher, endpoint, wanted);
  const [, info] = addon().readSegmentIndex(path);
  t.equal(bytes.length, info!.bytes);
  const copy = join(folder, 'fetched');
  writeFileSync(copy, Buffer.concat([Buffer.from('before'), bytes]));
  const read = (source: object): number => {
    const sources = [source as { path: string; partition: number }];
    const reader = new (addon().MergeReader)({ sources, temp: '', fanIn: 2, groupPrefix: 0, control: null });
    reader.open();
    const buffer = new Uint8Array(1_300_000);
    let crc = 0;
    for (let used = reader.next(buffer); used > 0; used = reader.next(buffer))
      crc = addon().crc32c(crc, buffer.subarray(0, used));
    t.equal(reader.records, info!.records);
    reader.dispose();
    return crc;
  };
  t.equal(read({ path: copy, partition: null, offset: 6, bytes: bytes.length }), read({ path, partition: 1 }));
  await t.rejects(fetchAll(fetcher, endpoint, { ...wanted, partition: 3 }), { code: 'ERR_DAF_BAD_ARGUMENT' });
  const absent = { ...wanted, attempt: 'map-9-g0-a1.9' };
  await t.rejects(fetchAll(fetcher, endpoint, absent), { code: 'ERR_DAF_NOT_FOUND' });
  truncateSync(path, 100);
  await t.rejects(fetchAll(fetcher, endpoint, wanted), { code: 'ERR_DAF_BAD_DATA' });
});

t.test('strangers get nothing; a revoked attempt stops; many at once take turns', async (t) => {
  const { folder, endpoint, fetcher } = await pair(t, 'ipc:///x');
  const bytes = Buffer.alloc(1_200_000, 1);
  writeFileSync(join(folder, 'a.rec'), bytes);
  const wanted = { job: 'job', attempt: 'a', kind: 'rec', partition: 0 } as const;
  const stranger = new Fetcher('guess');
  t.teardown(() => stranger.close());
  await t.rejects(fetchAll(stranger, endpoint, wanted), { code: 'ERR_DAF_PERMISSION' });
  const cancelled = fetcher.fetch(
    endpoint,
    wanted,
    null,
    async () => {},
    () => true,
  );
  await t.rejects(cancelled, { code: 'ERR_DAF_CANCELLED' });
  const all = await Promise.all(Array.from({ length: 12 }, () => fetchAll(fetcher, endpoint, wanted)));
  t.ok(all.every((each) => each.equals(bytes)));
});

t.test('a fetch that comes after others on a slow link is waited for, and asked for no more than its turn takes', async (t) => {
  const { endpoint, remove } = freshIpcEndpoint();
  const patienceMs = 1500;
  const bytes = Buffer.alloc(1000, 7);
  const asked: string[] = [];
  const holder = await RouterSocket.bind([endpoint], {
    onMessage: (peer, frames) => {
      const { message } = decodeAtHolder(frames);
      asked.push(message.attempt);
      if (message.type === 'fetch' && message.attempt === 'first') void serve(peer, message.request);
      else waiting.push(() => send(peer, message.request, 0, 1000));
    },
  });
  const waiting: (() => void)[] = [];
  const send = (peer: Peer, request: number, at: number, total: number): void =>
    void holder.send(peer, encode({ type: 'chunk', request, at, total, crc32c: null }, bytes));
  // A chunk every now and then, for twice as long as a silent holder is waited for: only then it is the others' turn.
  const serve = async (peer: Peer, request: number): Promise<void> => {
    for (let at = 0; at < 10_000; at += bytes.length) {
      send(peer, request, at, 10_000);
      await sleep((2 * patienceMs) / 10);
    }
    for (const next of waiting) next();
  };
  const fetcher = new Fetcher('secret', null, patienceMs);
  t.teardown(async () => {
    await fetcher.close();
    await holder.close();
    remove();
  });
  const wanted = (attempt: string): Wanted => ({ job: 'job', attempt, kind: 'rec', partition: 0 });
  const [first, second] = await Promise.all(['first', 'second'].map((name) => fetchAll(fetcher, endpoint, wanted(name))));
  t.equal(first!.length, 10_000);
  t.ok(second!.equals(bytes));
  t.ok(asked.filter((name) => name === 'second').length <= 3, String(asked));
});

t.test('encrypted, between workers of one key or of keys on the list', async (t) => {
  const dataDir = temporaryDirectory(t);
  mkdirSync(join(dataDir, 'job', 'maker'), { recursive: true });
  const bytes = Buffer.alloc(700_000, 3);
  writeFileSync(join(dataDir, 'job', 'maker', 'a.rec'), bytes);
  const [own, friend, stranger] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
  const list = join(dataDir, 'allowed');
  writeFileSync(list, `${friend.publicKey} friend\n`);
  const said: string[] = [];
  const holder = await DataHolder.open({
    ...{ dataDir, worker: 'maker', token: 'secret', beside: 'tcp://127.0.0.1:1', fetcher: new Fetcher('secret', own) },
    security: { keys: own, allowed: new AllowList(list, [own.publicKey]) },
    log: (message) => said.push(message),
  });
  t.teardown(() => holder.close());
  t.ok(holder.endpoint!.endsWith(`#${own.publicKey}`), 'others are told which key answers');
  const anywhere = { dataDir, worker: 'maker', token: 'secret', beside: 'tcp://127.0.0.1:1', fetcher: new Fetcher('secret') };
  await t.rejects(DataHolder.open({ ...anywhere, endpoint: 'tcp://0.0.0.0:0' }), { code: 'ERR_DAF_BAD_OPTION' });
  const wanted = { job: 'job', attempt: 'a', kind: 'rec', partition: 0 } as const;
  for (const keys of [own, friend]) {
    const fetcher = new Fetcher('secret', keys);
    t.ok(bytes.equals(await fetchAll(fetcher, holder.endpoint!, wanted)));
    await fetcher.close();
  }
  const outside = new Fetcher('secret', stranger, 300);
  await t.rejects(fetchAll(outside, holder.endpoint!, wanted), { code: 'ERR_DAF_UNREACHABLE' });
  t.ok(said.some((message) => message.includes(stranger.publicKey)));
  await outside.close();
});

t.test('what cannot be reached from here comes through a worker that can', async (t) => {
  const [own, friend, stranger] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
  const folder = temporaryDirectory(t);
  const list = join(folder, 'friends');
  writeFileSync(list, `${friend.publicKey}\n`);
  const everybody = join(folder, 'everybody');
  writeFileSync(everybody, `${friend.publicKey}\n${stranger.publicKey}\n`);
  // The maker lets in its friend only: for the reader it is as far as behind a cut link.
  const open = async (worker: string, keys: typeof own, allowed: string): Promise<DataHolder> => {
    const fetcher = new Fetcher('secret', keys, 300);
    const security = { keys, allowed: new AllowList(allowed, [keys.publicKey]) };
    const dataDir = join(folder, worker);
    const holder = await DataHolder.open({ dataDir, worker, token: 'secret', beside: 'tcp://127.0.0.1:1', fetcher, security });
    t.teardown(async () => {
      await fetcher.close();
      await holder.close();
    });
    return holder;
  };
  const maker = await open('maker', own, list);
  const relay = await open('relay', friend, everybody);
  mkdirSync(join(folder, 'maker', 'job', 'maker'), { recursive: true });
  const bytes = Buffer.alloc(700_000, 'xyz');
  writeFileSync(join(folder, 'maker', 'job', 'maker', 'map-0-g0-a1.1.rec'), bytes);
  const reader = new Fetcher('secret', stranger, 300);
  t.teardown(() => reader.close());
  const members = ['maker', 'relay'].map((worker) => ({
    ...{ worker, host: worker },
    endpoint: (worker === 'maker' ? maker : relay).endpoint!,
  }));
  const lost: string[] = [];
  const gather = (there: readonly Member[]): Promise<TaskSource[][]> =>
    gatherInputs(
      [
        [
          {
            ...{ index: 0, generation: 0, attempt: 'map-0-g0-a1.1', key: null, digest: 1 },
            ...{ copies: [{ ...members[0]!, path: '/nowhere' }], bytes: bytes.length, crc32c: addon().crc32c(0, bytes) },
          },
        ],
      ],
      {
        spec: sampleSpec('job', { steps: [sampleStep({ reducers: 0, splits: 1 }), sampleStep({ from: [0], splits: 1 })] }),
        assignment: {
          ...{ job: 'job', task: { step: 1, stage: 'map', index: 0 }, generation: 0, attempt: 's1-map-0-g0-a1.9' },
          ...{ epoch: { term: 1, counter: 9 }, try: 1, backup: false },
        },
        dataDir: folder,
        host: 'here',
        isCancelled: never,
        reserve: async () => () => {},
        members: async () => there,
        copyLost: (_, holder) => void lost.push(holder),
      },
      reader,
    );
  const [[source] = []] = await gather(members);
  t.ok(source?.place.kind === 'part' && bytes.equals(readFileSync(source.place.path)));
  t.ok(existsSync(join(folder, 'relay', 'job', 'relay', 'map-0-g0-a1.1.rec')), 'the worker between holds it now');
  t.same(lost, [], 'the maker still has it');
  const alone = await gather(members.slice(0, 1)).catch((error: unknown) => error);
  t.match(alone, { error: { code: 'ERR_DAF_SEGMENT_LOST', retryable: true, cause: { code: 'ERR_DAF_UNREACHABLE' } } });
});
