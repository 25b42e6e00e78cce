import type { JobSpec } from '../../core/contracts/job.js';
import { outputsOf, type StepSpec } from '../../core/contracts/step.js';
import { coverageOf } from './content.js';
import type { Random } from './random.js';

/** Far more than a task takes that goes on: what runs out of it hangs. */
const TASK_TIMEOUT_MS = 5000;

/** A small job: most have one step, others a graph of a few. */
export function drawSpec(random: Random): JobSpec {
  const inputSplits = random.whole(1, 7);
  const spec = {
    id: 'job',
    name: 'sim',
    code: { kind: 'module' as const, sha256: '0'.repeat(64) },
    output: 'memory:out',
    steps: [] as StepSpec[],
    hasFinalize: random.chance(0.4),
    deterministic: random.chance(0.8),
    format: { kind: 'packed' as const },
    input: coverageOf(0, inputSplits),
    params: {} as Record<string, string>,
    maxAttempts: 4,
    backups: random.chance(0.7),
    taskTimeoutMs: null as number | null,
    replicas: random.pick([1, 1, 2]),
    intermediate: random.pick(['workers', 'workers', 'workers', 'blob'] as const),
    maxSkipped: 0 as number,
    priority: 0,
    isa: 'scalar' as const,
  };
  const steps = random.pick([1, 1, 1, 2, 2, 3]);
  for (let i = 0; i < steps; i++) spec.steps.push(drawStep(random, spec, inputSplits, i === steps - 1));
  if (random.chance(0.4)) spec.taskTimeoutMs = TASK_TIMEOUT_MS;
  if (random.chance(0.25)) drawBad(random, spec, inputSplits);
  return spec;
}

/** Some records kill the tasks that map them; most jobs may go on without as many. */
function drawBad(
  random: Random,
  spec: Pick<JobSpec, 'steps'> & { params: Record<string, string>; maxSkipped: number },
  inputSplits: number,
): void {
  const bad = new Map<number, number>();
  for (let i = random.whole(1, 2); i > 0; i--) bad.set(random.whole(0, inputSplits - 1), random.whole(1, 3));
  spec.params = { bad: [...bad].map(([split, records]) => `${split}:${records}`).join() };
  const sum = [...bad.values()].reduce((all, each) => all + each, 0) * spec.steps.filter(({ from }) => from.length === 0).length;
  spec.maxSkipped = random.chance(0.85) ? sum : Math.max(1, sum - 1);
}

function drawStep(random: Random, spec: JobSpec, inputSplits: number, last: boolean): StepSpec {
  const before = spec.steps.map((_, i) => i);
  const isRead = (step: number): boolean => spec.steps.some(({ from, given }) => from.includes(step) || given.includes(step));
  const wanted = before.filter((step) => (last ? !isRead(step) : random.chance(0.5)));
  const given = wanted.filter(() => random.chance(0.3));
  const from = wanted.filter((step) => !given.includes(step));
  const mapped = from.reduce((sum, step) => sum + outputsOf(spec, step).count, 0);
  return {
    name: `step-${before.length}`,
    from,
    given,
    cuts: null,
    input: { kind: 'lines' },
    splits: from.length > 0 ? mapped : inputSplits,
    firstSplit: 0,
    reducers: random.whole(0, 3),
    hasCombine: random.chance(0.4),
    groupPrefix: 0,
    memory: { sortBuffer: 1, task: 1 },
  };
}
