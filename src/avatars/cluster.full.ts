import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import tap from 'tap';
import { writeDemoInput } from './demo/write_input.js';

const program = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const run = promisify(execFile);
const home = await mkdtemp(join(tmpdir(), 'daf-avatar-cluster-'));
tap.teardown(() => rm(home, { recursive: true, force: true }));
const input = join(home, 'input');
await writeDemoInput(input, { people: 3, photos: 2, seed: 1 });

interface Outcome {
  readonly manifest: string;
  readonly peakBytes: number;
  readonly log: string;
}

let runs = 0;

async function avatars(workers: number, env: Record<string, string> = {}): Promise<Outcome> {
  const out = join(home, `out-${runs++}`);
  const args = [program, 'avatar', input, '--out', out, '--quality', 'draft', '--workers', String(workers), '--json'];
  const { stderr } = await run(process.execPath, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 24 });
  const manifest = await readFile(join(out, 'manifest.json'), 'utf8');
  const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as { peakBytes: number };
  await rm(out, { recursive: true });
  return { manifest, peakBytes: report.peakBytes, log: stderr };
}

const plain = await avatars(2);

tap.test('every process stays under 512 MB and every person has every file', async (t) => {
  t.ok(plain.peakBytes > 50 << 20 && plain.peakBytes < 512 << 20, `${Math.round(plain.peakBytes / 2 ** 20)} MB`);
  const { outputs, inputs } = JSON.parse(plain.manifest) as { outputs: { name: string }[]; inputs: { records: number } };
  t.equal(inputs.records, 6);
  t.equal(outputs.filter(({ name }) => name.startsWith('avatars/')).length, 30);
});

tap.test('the number of workers changes no byte', async (t) => {
  t.equal((await avatars(1)).manifest, plain.manifest);
});

const FAILPOINTS = [
  'worker.heartbeat:3',
  'worker.assigned:2',
  'task.start:2',
  'task.map-record:2',
  'task.map-spill:1',
  'task.map-done:1',
  'worker.before-report:2',
  'worker.after-report:2',
  'worker.verdict:2',
  'task.reduce-group:1',
  'task.before-output:7',
  'task.reduce-done:1',
  'task.finalize:1',
];

for (const point of FAILPOINTS) {
  tap.test(`a worker killed at ${point} changes no byte`, async (t) => {
    const once = join(home, `once-${point.replace(':', '-')}`);
    const outcome = await avatars(2, { DAF_FAILPOINT: `${point}:kill`, DAF_FAILPOINT_ONCE: once });
    t.ok((await readFile(once)).length >= 0, 'the fail point was reached');
    t.equal(outcome.manifest, plain.manifest);
  });
}
