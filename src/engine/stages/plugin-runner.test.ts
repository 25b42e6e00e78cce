import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { addon, nativeFile } from '../../core/addon/index.js';
import { readPluginInfo } from '../../core/addon/plugin-info.js';
import { GROUP_BUFFER_BYTES, readGroups } from '../../core/addon/records.js';
import type { JobSpec } from '../../core/contracts/job.js';
import type { GroupStream, MapInput, RecordBlock, RecordSink, StageRunner, TaskContext } from '../../core/contracts/stage.js';
import type { StepSpec } from '../../core/contracts/step.js';
import { sampleSpec } from '../stores/state-conformance.js';
import { ShuffleSink } from '../worker/output/shuffle-sink.js';
import { createRunner } from './plugin-runner.js';

const WORDCOUNT = nativeFile('plugins/wordcount.so');
const MISBEHAVE = nativeFile('plugins/misbehave.so');

function spec(step: Partial<StepSpec> = {}, trusted = false, params: Record<string, string> = {}): JobSpec {
  const memory = { sortBuffer: 256 << 10, task: 64 << 20 };
  return sampleSpec('job', { code: { kind: 'plugin', sha256: '', trusted }, params }, { hasCombine: true, memory, ...step });
}

class Context implements Partial<TaskContext> {
  readonly index = 0;
  readonly memoryBytes = 64 << 20;
  readonly control = new Int32Array(new SharedArrayBuffer(12));
  readonly counted = new Map<string, number>();
  readonly logged: string[] = [];
  readonly counters = { add: (name: string, n = 1) => void this.counted.set(name, (this.counted.get(name) ?? 0) + n) };
  checkCancelled(): void {}
  log(level: string, message: string): void {
    this.logged.push(`${level}: ${message}`);
  }
  get task(): TaskContext {
    return this as unknown as TaskContext;
  }
}

/** Lines in blocks of at most 100, cut from a buffer that goes on behind them. */
function lines(text: string, source = 'doc'): MapInput {
  const data = Buffer.from(text);
  return {
    async *blocks(): AsyncGenerator<RecordBlock> {
      const values = new Uint32Array(200);
      for (let from = 0; from < data.length; ) {
        const rest = data.subarray(from);
        const { lines: count, consumed } = addon().splitLines(rest, true, values);
        yield { source, data: rest, count, values, keys: null, key: new Uint8Array(0), offset: from, split: 0, at: from };
        from += consumed;
      }
    },
  };
}

function collect(): { sink: RecordSink; records: [string, string][] } {
  const records: [string, string][] = [];
  const sink: RecordSink = {
    emit: () => t.fail('a plugin emits batches'),
    place: null,
    batch(packed) {
      const bytes = Buffer.from(packed);
      for (let at = 0; at < bytes.length; ) {
        const key = bytes.readUInt32LE(at) & 0x1fff_ffff;
        const value = bytes.readUInt32LE(at + 4) & 0x7fff_ffff;
        records.push([
          bytes.toString('latin1', at + 8, at + 8 + key),
          bytes.toString('latin1', at + 8 + key, at + 8 + key + value),
        ]);
        at += 8 + key + value;
      }
    },
  };
  return { sink, records };
}

/** Maps every text as a task of its own, reduces, and returns the sorted output. */
async function job(runner: StageRunner, job: JobSpec, texts: string[], folder: string): Promise<[string, string][]> {
  const context = new Context();
  const paths: string[] = [];
  for (const [i, text] of texts.entries()) {
    const path = join(folder, `map-${i}.seg`);
    const sink = new ShuffleSink(path, job.steps[0]!, runner, null, context.task);
    await runner.map(lines(text), sink, context.task);
    sink.finish();
    paths.push(path);
  }
  const { sink, records } = collect();
  for (let partition = 0; partition < job.steps[0]!.reducers; partition++) {
    const reader = new (addon().MergeReader)({
      sources: paths.map((path) => ({ path, partition })),
      temp: join(folder, 'merge'),
      fanIn: 4,
      groupPrefix: 0,
      control: null,
    });
    reader.open();
    const fill = (buffer: Uint8Array): number => reader.next(buffer);
    const stream: GroupStream = { ...readGroups(fill, new Uint8Array(GROUP_BUFFER_BYTES)), fill };
    await runner.reduce?.(stream, sink, context.task);
    reader.dispose();
  }
  return records.sort(([a], [b]) => (a < b ? -1 : 1));
}

function scratch(test: { teardown(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'daf-plugin-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

for (const trusted of [false, true]) {
  const where = trusted ? 'trusted' : 'in a child';

  t.test(`word count ${where}, combined while it maps`, async (t) => {
    const folder = scratch(t);
    const expected = new Map<string, number>();
    const texts = [0, 1, 2].map((text) => {
      let words = '';
      for (let i = 0; i < 40_000; i++) {
        const word = `w${String.fromCharCode(97 + ((i * 7 + text) % 26), 97 + (i % 25))}`;
        words += `${word}${i % 9 === 8 ? '\r\n' : i % 2 === 0 ? ' ' : '\u00e9'}`;
        expected.set(word, (expected.get(word) ?? 0) + 1);
      }
      return words;
    });
    const wordcount = spec({}, trusted);
    const runner = await createRunner(WORDCOUNT, wordcount, 0);
    const found = await job(runner, wordcount, texts, folder);
    t.same(
      found,
      [...expected].map(([word, count]) => [word, String(count)]).sort(([a], [b]) => (a! < b! ? -1 : 1)),
    );
    await runner.dispose?.();
  });

  t.test(`single records, counters, logs and parameters ${where}`, async (t) => {
    const context = new Context();
    const { sink, records } = collect();
    const runner = await createRunner(MISBEHAVE, spec({ reducers: 0 }, trusted, { prefix: '>' }), 0);
    t.same(await runner.map(lines('one\nlog\n'), sink, context.task), { recordsIn: 2 });
    t.same(records, [
      ['>one', 'doc:0'],
      ['>log', 'doc:4'],
    ]);
    t.equal(context.counted.get('lines'), 2);
    t.same(context.logged, ['warn: logged on demand']);
    t.same(await runner.map(lines('count-far\ncount-proto\n'), sink, context.task), { recordsIn: 2 });
    t.same(
      [...context.counted].sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['__proto__', 3],
        ['constructor', 3],
        ['lines', 3],
        ['toString', 3],
        ['\ufffd', 6],
      ],
      'whatever they are called, counters reach the task',
    );
    await t.rejects(runner.map(lines('count-over\n'), sink, context.task), { code: 'ERR_DAF_PLUGIN', message: /counter far/ });
    await t.rejects(runner.map(lines('fail\n'), sink, context.task), { code: 'ERR_DAF_PLUGIN', retryable: true });
    t.same(await runner.map(lines('again\n'), sink, context.task), { recordsIn: 1 }, 'the next attempt works');
    await runner.dispose?.();
  });

  t.test(`reducers chosen by the plugin ${where}`, async (t) => {
    const folder = scratch(t);
    const context = new Context();
    const chosen = spec({ reducers: 3, hasCombine: false }, trusted);
    const runner = await createRunner(MISBEHAVE, chosen, 0);
    const sink = new ShuffleSink(join(folder, 'map'), chosen.steps[0]!, runner, null, context.task);
    await runner.map(lines('p0\np1\np1\nx\n'), sink, context.task);
    sink.finish();
    const index = addon().readSegmentIndex(join(folder, 'map'));
    t.same(
      index.map((segment) => segment.records),
      [1, 2, 1],
    );
    await runner.dispose?.();
  });
}

t.test('a crash is an error that names the signal, and costs one attempt', async (t) => {
  const context = new Context();
  const { sink } = collect();
  const runner = await createRunner(MISBEHAVE, spec({ reducers: 0 }), 0);
  t.equal(addon().pluginPids().length, 1);
  await t.rejects(runner.map(lines('segfault\n'), sink, context.task), {
    code: 'ERR_DAF_PLUGIN',
    message: /SIGSEGV/,
    retryable: true,
  });
  t.same(await runner.map(lines('fine\n'), sink, context.task), { recordsIn: 1 });
  context.control[0] = 1;
  await t.rejects(runner.map(lines('loop\n'), sink, context.task), { code: 'ERR_DAF_CANCELLED' });
  context.control[0] = 0;
  const impatient = await createRunner(MISBEHAVE, spec({ reducers: 0 }, false, { 'daf.pluginTimeoutMs': '40' }), 0);
  await t.rejects(impatient.map(lines('loop\n'), sink, context.task), { code: 'ERR_DAF_PLUGIN', message: /silent/ });
  await runner.dispose?.();
  await impatient.dispose?.();
  t.same(addon().pluginPids(), []);
});

t.test('a child has the memory of its task and nothing of this process’s environment', async (t) => {
  const context = new Context();
  const { sink, records } = collect();
  const home = process.env['HOME'];
  process.env['HOME'] = '/somewhere'; // what the plugin looks for
  t.teardown(() => {
    if (home === undefined) delete process.env['HOME'];
    else process.env['HOME'] = home;
  });
  const runner = await createRunner(MISBEHAVE, spec({ reducers: 0 }), 0);
  await runner.map(lines('environment\n'), sink, context.task);
  t.same(records, [['environment', 'empty']]);
  await t.rejects(runner.map(lines('allocate\n'), sink, context.task), { code: 'ERR_DAF_PLUGIN', message: /out of memory/ });
  await runner.dispose?.();
});

t.test('an exception of the sink comes through as it is', async (t) => {
  const runner = await createRunner(WORDCOUNT, spec({ reducers: 0 }), 0);
  const full = Object.assign(new Error('disk full'), { code: 'ENOSPC' });
  const sink: RecordSink = {
    emit() {},
    place: null,
    batch() {
      throw full;
    },
  };
  await t.rejects(runner.map(lines('a b c\n'), sink, new Context().task), full);
  await runner.dispose?.();
});

t.test('what a plugin says of itself, and refusals', async (t) => {
  t.match(readPluginInfo(WORDCOUNT), {
    name: 'wordcount',
    input: 'blocks',
    hasReduce: true,
    hasCombine: true,
    hasPartition: false,
  });
  t.throws(() => readPluginInfo(nativeFile('plugins/other_abi.so')), { code: 'ERR_DAF_PLUGIN', message: /ABI/ });
  t.throws(() => readPluginInfo('/nonexistent.so'), { code: 'ERR_DAF_PLUGIN' });
  await t.rejects(createRunner(WORDCOUNT, spec({ input: { kind: 'files' } }), 0), { code: 'ERR_DAF_BAD_JOB' });
  await t.rejects(createRunner(WORDCOUNT, spec({}, false, { 'daf.pluginTimeoutMs': 'soon' }), 0), {
    code: 'ERR_DAF_BAD_ARGUMENT',
  });
});

t.test('packed input and a record larger than the input memory', async (t) => {
  const runner = await createRunner(MISBEHAVE, spec({ reducers: 0, input: { kind: 'packed' } }, true), 0);
  const { sink, records } = collect();
  const data = Buffer.from('kone--two');
  const input: MapInput = {
    async *blocks(): AsyncGenerator<RecordBlock> {
      const keys = Uint32Array.of(0, 1, 0, 0);
      const place = { source: 'memory', offset: 0, split: 0, at: 0 };
      yield { ...place, data, count: 2, values: Uint32Array.of(1, 3, 6, 3), keys, key: new Uint8Array(0) };
    },
  };
  t.same(await runner.map(input, sink, new Context().task), { recordsIn: 2 });
  t.same(
    records.map(([key]) => key),
    ['one', 'two'],
  );
  const large = Buffer.concat([Buffer.from('kbig '), Buffer.alloc(3 << 20, 'x')]);
  const one: MapInput = {
    async *blocks(): AsyncGenerator<RecordBlock> {
      const place = { source: 'memory', offset: 0, split: 0, at: 0 };
      const values = Uint32Array.of(1, large.length - 1);
      yield { ...place, data: large, count: 1, values, keys: Uint32Array.of(0, 1), key: new Uint8Array(0) };
    },
  };
  t.same(await runner.map(one, sink, new Context().task), { recordsIn: 1 });
  const long = `${'x'.repeat(3 << 20)} y\n`;
  const wordcount = await createRunner(WORDCOUNT, spec({ reducers: 0 }), 0);
  const words = collect();
  await t.rejects(wordcount.map(lines(long), words.sink, new Context().task), { code: 'ERR_DAF_PLUGIN', message: /1 MB/ });
  t.same(await wordcount.map(lines(`${'x '.repeat(2 << 20)}\n`), words.sink, new Context().task), { recordsIn: 1 });
  t.equal(words.records.length, 2 << 20);
  await runner.dispose?.();
  await wordcount.dispose?.();
});

const shared = process.env['DAF_SHARED_DATA'] ?? '../shared/data';
const books = join(shared, 'text', 'pg');
t.test('the golden word count of real books', { skip: existsSync(books) ? false : `${books} is missing` }, async (t) => {
  const texts = readdirSync(books).map((name) => readFileSync(join(books, name), 'latin1'));
  const runner = await createRunner(WORDCOUNT, spec(), 0);
  const found = await job(runner, spec(), texts, scratch(t));
  const text = found.map(([word, count]) => `${word} ${count}\n`).join('');
  t.ok(text === readFileSync(join(shared, 'text', 'golden', 'wc.LC_ALL_C.txt'), 'latin1'));
  await runner.dispose?.();
});
