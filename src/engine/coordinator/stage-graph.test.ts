import t from 'tap';
import type { JobSpec } from '../../core/contracts/job.js';
import { checkSteps, intakeOf, placeOf, readsOf } from '../../core/contracts/step.js';
import { sampleCommit, sampleSpec, sampleStep } from '../stores/state-conformance.js';
import { StageGraph } from './stage-graph.js';
import type { TaskTable } from './task-table.js';

/** count (2 maps, 3 reduces) → total (1 reduce) and, given that total, → share (map-only). */
function shares(changes: Partial<JobSpec> = {}): JobSpec {
  const steps = [
    sampleStep({ name: 'count', splits: 2, reducers: 3 }),
    sampleStep({ name: 'total', from: [0], splits: 3, reducers: 1 }),
    sampleStep({ name: 'share', from: [0], given: [1], splits: 3, reducers: 0 }),
  ];
  return { ...sampleSpec('j'), hasFinalize: true, steps, ...changes };
}

const nameOf = ({ step, stage }: TaskTable): string => `${stage} ${step}`;

function openOf(graph: StageGraph): TaskTable[] {
  return graph.tables.filter((_, at) => graph.isOpen(at));
}

function commitAll(table: TaskTable): void {
  for (let index = 0; index < table.total; index++) table.commit(index, { term: 1, counter: index });
}

t.test('a stage opens when all that it reads is committed', async (t) => {
  const graph = new StageGraph(shares());
  const order: string[] = [];
  for (let open = openOf(graph); open.length > 0; open = openOf(graph)) {
    order.push(open.map(nameOf).join('+'));
    for (const table of open) commitAll(table);
  }
  t.same(order, ['map 0', 'reduce 0', 'map 1', 'reduce 1', 'map 2', 'finalize 2']);
  t.ok(graph.complete);
});

t.test('branches are open together', async (t) => {
  const steps = [
    sampleStep({ name: 'a', splits: 1, reducers: 0 }),
    sampleStep({ name: 'b', splits: 1, reducers: 0 }),
    sampleStep({ name: 'c', from: [1, 0], splits: 2, reducers: 0 }),
  ];
  const spec = { ...sampleSpec('j'), steps };
  const graph = new StageGraph(spec);
  t.same(openOf(graph).map(nameOf), ['map 0', 'map 1']);
  t.same(readsOf(spec, { step: 2, stage: 'map', index: 0 }), [{ step: 1, stage: 'map', from: 0, count: 1 }]);
  t.same(readsOf(spec, { step: 2, stage: 'map', index: 1 }), [{ step: 0, stage: 'map', from: 0, count: 1 }]);
  t.equal(intakeOf(spec), 0);
});

t.test('outputs go when all their readers have committed, and again after they were made anew', async (t) => {
  const graph = new StageGraph(shares());
  const [map0, reduce0, map1, reduce1, map2] = graph.tables as TaskTable[];
  const dropped = (): string[] => graph.takeDroppable().map(({ step, stage, count }) => `${count} × ${stage} ${step}`);
  for (const table of [map0, reduce0]) commitAll(table!);
  t.same(dropped(), ['2 × map 0']);
  t.same(dropped(), [], 'once');
  for (const table of [map1, reduce1]) commitAll(table!);
  t.same(dropped(), ['3 × map 1'], 'the counts have another reader; what is given lies in the output store');
  commitAll(map2!);
  t.same(dropped(), ['3 × reduce 0']);
  map0!.beginReopen(1);
  map0!.reopen(1, 1, 0);
  t.same(dropped(), []);
  map0!.commit(1, { term: 1, counter: 9 });
  t.same(graph.takeDroppable(), [
    {
      step: 0,
      stage: 'map',
      from: 0,
      count: 2,
      generations: [
        [0, 1],
        [1, 1],
      ],
    },
  ]);
});

t.test('what a task read is compared with what it has to read, and with what stands', async (t) => {
  const graph = new StageGraph(shares());
  const share = { step: 2, stage: 'map', index: 1 } as const;
  const reads = [
    { step: 0, stage: 'reduce', from: 1, count: 1, generations: [[0, 1]] },
    { step: 1, stage: 'reduce', from: 0, count: 1, generations: [[0, 1]] },
  ] as const;
  const { outcome } = sampleCommit(share, 0, 'x', { reads });
  t.ok(graph.readsAreComplete(share, outcome));
  t.notOk(graph.readsAreComplete(share, { ...outcome, reads: reads.slice(0, 1) }), 'the given step is missing');
  t.notOk(graph.readsAreComplete({ ...share, index: 2 }, outcome), 'it read what another has to read');
  t.ok(graph.readsAreCurrent(outcome));
  for (const table of graph.tables) commitAll(table);
  graph.tables[1]!.beginReopen(1);
  graph.tables[1]!.reopen(1, 1, 0);
  t.notOk(graph.readsAreCurrent(outcome));
  t.same(
    [...graph.readersOf({ step: 0, stage: 'reduce', index: 1 })],
    [
      { step: 1, stage: 'map', index: 1 },
      { step: 2, stage: 'map', index: 1 },
    ],
  );
});

t.test('maps of later steps are given to the host where their input lies', async (t) => {
  const graph = new StageGraph(shares());
  const mappers = [...graph.mappersOf({ step: 0, stage: 'reduce', index: 2 })].map(
    ([table, index]) => `${nameOf(table)} ${index}`,
  );
  t.same(mappers, ['map 1 2', 'map 2 2']);
  t.same([...graph.mappersOf({ step: 0, stage: 'map', index: 0 })], [], 'segments are read by all reduces');
  const maps = graph.tables[2]!;
  maps.setHome(2, 'south');
  const pick = (host: string): number => {
    const index = maps.pick({ worker: `w-${host}`, host }, () => true, 0, 1000);
    if (index >= 0) maps.commit(index, { term: 1, counter: index });
    return index;
  };
  t.same([pick('south'), pick('south'), pick('north'), pick('north')], [2, 0, 1, -1]);
});

t.test('steps that cannot run are refused, with the step and the reason', async (t) => {
  const spec = shares();
  checkSteps(spec);
  t.equal(placeOf(spec, 0), 'worker');
  t.equal(placeOf(spec, 1), 'store');
  t.equal(placeOf(spec, 2), 'results');
  t.equal(intakeOf(spec), 0);
  const [count, total, share] = spec.steps as [JobSpec['steps'][0], JobSpec['steps'][0], JobSpec['steps'][0]];
  for (const [steps, why] of [
    [[], /1 to 64 steps/],
    [[count, { ...total, name: 'count' }, share], /another step has that name/],
    [[count, { ...total, from: [1] }, share], /earlier steps only/],
    [[count, { ...total, splits: 2 }, share], /2 map tasks for 3 outputs/],
    [[count, total, { ...share, given: [] }], /nobody reads it/],
    [[count, total, { ...share, cuts: 0 }], /cut points come from a step that it is not given/],
    [[count, total, { ...share, given: [1, 0] }], /reads a step twice/],
  ] as const) {
    t.throws(() => checkSteps({ ...spec, steps }), { code: 'ERR_DAF_BAD_JOB', message: why });
  }
});
