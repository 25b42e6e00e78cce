import t from 'tap';
import { runLengths } from '../../core/contracts/generations.js';
import type { Report } from '../../core/contracts/task.js';
import { ReportBox, type Waiting } from './report-box.js';

function report(attempt: string, refused = 0): Report {
  return {
    job: 'j',
    task: { step: 0, stage: 'map', index: 0 },
    generation: 0,
    attempt,
    epoch: { term: 1, counter: 1 },
    outcome: {
      kind: 'done',
      held: null,
      outputs: [],
      counters: {},
      recordsIn: 0,
      skipped: 0,
      intake: null,
      recordsOut: 0,
      refused: Array.from({ length: refused }, (_, i) => ({
        input: `input ${i} ${'x'.repeat(200)}`,
        code: 'C',
        message: 'm',
        hint: null,
        refused: true,
      })),
      reads: [],
    },
    usage: { worker: 'w', milliseconds: 1, reservedBytes: 0, nativePeakBytes: 0, processPeakBytes: 0 },
  };
}

t.test('a report is sent again until it is answered', async (t) => {
  const box = new ReportBox();
  box.add(report('a'));
  t.equal(box.due(0, 100).length, 1);
  t.equal(box.due(99, 100).length, 0);
  t.equal(box.due(100, 100).length, 1);
  box.resendAll();
  t.equal(box.due(101, 100).length, 1);
  t.equal(box.answered({ job: 'j', attempt: 'a' })?.attempt, 'a');
  t.equal(box.answered({ job: 'j', attempt: 'a' }), undefined, 'a second verdict changes nothing');
  t.equal(box.due(1000, 100).length, 0);
});

t.test('batches stay within the bounds of a message', async (t) => {
  const box = new ReportBox();
  for (let i = 0; i < 150; i++) box.add(report(`${i}`));
  t.same(
    box.due(0, 100).map((batch) => batch.length),
    [64, 64, 22],
  );
  const large = new ReportBox();
  for (let i = 0; i < 3; i++) large.add(report(`${i}`, 2000));
  t.same(
    large.due(0, 100).map((batch) => batch.length),
    [2, 1],
  );
});

t.test('a report that cannot be sent becomes a failure that says so', async (t) => {
  const box = new ReportBox();
  box.add(report('a', 10_000));
  const [[sent]] = box.due(0, 100) as [[Waiting]];
  t.match(sent.report.outcome, { kind: 'failed', error: { code: 'ERR_DAF_TASK_FAILED' } });
});

t.test('run lengths', async (t) => {
  t.same(runLengths([]), []);
  t.same(runLengths([0, 0, 2, 0]), [
    [0, 2],
    [2, 1],
    [0, 1],
  ]);
});

t.test('what the coordinator would refuse is reported as a failure', async (t) => {
  const counters: [string, unknown][] = [
    ['name', Number.NaN],
    ['name', Number.POSITIVE_INFINITY],
    ['name', '03'],
    ['n'.repeat(300), 1],
    ['__proto__', 1],
    ['name', 2 ** 54],
  ];
  for (const [name, amount] of counters) {
    const box = new ReportBox();
    const done = report('a');
    if (done.outcome.kind === 'done') Object.defineProperty(done.outcome.counters, name, { value: amount, enumerable: true });
    box.add(done);
    const [sent] = box.list();
    t.match(sent?.outcome, { kind: 'failed', error: { code: 'ERR_DAF_USER_CODE' } }, String(amount));
  }
  const box = new ReportBox();
  const done = report('a');
  if (done.outcome.kind === 'done') Object.assign(done.outcome.counters, { name: -1.5 });
  box.add(done);
  t.equal(box.list()[0]?.outcome.kind, 'done');
});
