import type { JobSpec } from '../../core/contracts/job.js';
import { outputsOf, type StepSpec } from '../../core/contracts/step.js';
import { coverageOf } from './content.js';
import type { Random } from './random.js';

/** A small job: most have one step, others a graph of a few. */
export function drawSpec(random: Random): JobSpec {
  const inputSplits = random.whole(1, 7);
  const spec = {
    id: 'job',
    name: 'sim',
    code: { kind: 'module', sha256: '0'.repeat(64) },
    output: 'memory:out',
    steps: [] as StepSpec[],
    hasFinalize: random.chance(0.4),
    deterministic: random.chance(0.8),
    format: { kind: 'packed' },
    input: coverageOf(0, inputSplits),
    params: {},
    maxAttempts: 4,
    backups: random.chance(0.7),
    taskTimeoutMs: null,
    replicas: random.pick([1, 1, 2]),
    intermediate: random.pick(['workers', 'workers', 'workers', 'blob'] as const),
    maxSkipped: 0,
    priority: 0,
    isa: 'scalar',
  } as const;
  const steps = random.pick([1, 1, 1, 2, 2, 3]);
  for (let i = 0; i < steps; i++) spec.steps.push(drawStep(random, spec, inputSplits, i === steps - 1));
  return spec;
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
    hasCombine: false,
    groupPrefix: 0,
    memory: { sortBuffer: 1, task: 1 },
  };
}
