import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { runLengths } from '../../core/contracts/generations.js';
import type { JobSpec } from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import type { ProcessLine } from '../../core/contracts/process.js';
import { readsOf } from '../../core/contracts/step.js';
import { doneOutcome, partOf, type Script } from '../../testing/scripted-worker.js';
import { openBlobStore } from '../stores/open.js';

const root = mkdtempSync(join(tmpdir(), 'daf-coordinator-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
let places = 0;

export interface Coordinator {
  readonly child: ChildProcess;
  readonly endpoints: readonly string[];
  readonly term: number;
  readonly ended: Promise<{ code: number | null; signal: string | null; lines: ProcessLine[] }>;
}

/** `runCoordinator` in a process of its own, as `daf coordinator` runs it. */
export async function start(t: Test, options: object, env: Record<string, string> = {}): Promise<Coordinator> {
  const script = `
    import { runCoordinator } from '${new URL('./process.js', import.meta.url).href}';
    import { coordinatorExitCode } from '${new URL('../../core/contracts/process.js', import.meta.url).href}';
    await runCoordinator(JSON.parse(process.argv[1])).catch((error) => { process.exitCode = coordinatorExitCode(error); });`;
  const given = JSON.stringify({ readyFd: 3, heartbeatMs: 50, leaseMs: 500, parentPid: process.pid, ...options });
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, given], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, ...env },
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: ProcessLine[] = [];
  const ended = new Promise<Awaited<Coordinator['ended']>>((resolve) => {
    child.on('exit', (code, signal) => setTimeout(() => resolve({ code, signal, lines }), 10));
  });
  const first = await new Promise<ProcessLine | null>((resolve) => {
    createInterface({ input: child.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(JSON.parse(line));
      resolve(lines[0]!);
    });
    void ended.then(() => resolve(null));
  });
  const ready = first?.event === 'ready' ? first : null;
  return { child, endpoints: ready?.endpoints ?? [], term: ready?.term ?? 0, ended };
}

export function place(): { readonly state: string; readonly output: string; readonly url: string } {
  const at = join(root, String(places++));
  const output = join(at, 'out');
  return { state: join(at, 'state'), output, url: pathToFileURL(output).href };
}

/** Maps write an output of their own; reduces write a part file that tells what they read. */
export function jobScript(spec: JobSpec): Script {
  const store = openBlobStore(spec.output);
  return async (assignment, worker) => {
    const { name, key } = partOf(spec, assignment);
    if (assignment.task.stage === 'map') {
      const { index } = assignment.task;
      const { generation, attempt } = assignment;
      const copies = [{ worker: worker.id, host: 'test', path: '/x', endpoint: null }];
      const held = { index, generation, attempt, copies, key: null, bytes: 1, crc32c: null, digest: 1 };
      return doneOutcome({
        held,
        recordsIn: 10,
        intake: { records: 10, coverage: { bytes: 100, seams: 7 } },
        counters: { lines: 10 },
      });
    }
    const outputs = await worker.inputs(spec, assignment.task);
    const bytes = Buffer.from(outputs.map(({ index, generation }) => `${index}:${generation}\n`).join(''));
    await store.put(key, bytes);
    const file = { name, key, bytes: bytes.length, records: outputs.length, crc32c: 7, volatile: false };
    const [range] = readsOf(spec, assignment.task);
    const reads = range === undefined ? [] : [{ ...range, generations: runLengths(outputs.map(({ generation }) => generation)) }];
    return doneOutcome({ outputs: [file], recordsOut: outputs.length, reads });
  };
}

export function checkResult(t: Test, output: string, spec: JobSpec): Manifest {
  const manifest = JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8')) as Manifest;
  const { splits, reducers } = spec.steps[0]!;
  const read = { bytes: 100 * splits, seams: 7 * splits };
  t.same(manifest.inputs, { splits, given: spec.input, read, records: 10 * splits, mapped: 10 * splits, skipped: 0, refused: 0 });
  t.same(manifest.counters, { lines: 10 * splits });
  t.same(
    manifest.outputs.map(({ name }) => name),
    [...Array.from({ length: reducers }, (_, i) => `part-r-0000${i}`), 'report.json'],
  );
  for (let i = 0; i < reducers; i++) {
    t.equal(readFileSync(join(output, `part-r-0000${i}`), 'utf8').split('\n').length - 1, splits, 'every map once');
  }
  return manifest;
}

export async function gone(path: string): Promise<boolean> {
  for (let i = 0; i < 100 && existsSync(path); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  return !existsSync(path);
}
