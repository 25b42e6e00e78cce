import { existsSync } from 'node:fs';
import t from 'tap';
import { packReport } from '../../core/compact.js';
import { DafError, toWire } from '../../core/contracts/errors.js';
import { MAX_BODY_BYTES, type Message, type Reports } from '../../core/contracts/messages.js';
import type { Assignment, Report } from '../../core/contracts/task.js';
import { packReportList } from './batches.js';
import { whole } from './check.js';
import {
  checkEndpoint,
  DealerSocket,
  decodeAtCoordinator,
  decodeFromCoordinator,
  encode,
  freshIpcEndpoint,
  pack,
  packReports,
  RouterSocket,
  tokenMatches,
  unpack,
} from './index.js';

const report: Report = {
  job: 'job-1',
  task: { step: 0, stage: 'map', index: 3 },
  generation: 0,
  attempt: 'map-3-g0-a1',
  epoch: { term: 1, counter: 7 },
  outcome: { kind: 'failed', error: toWire(new DafError('ERR_DAF_USER_CODE', 'ünïcode')), lost: [] },
  usage: { worker: 'w1', milliseconds: 1.5, reservedBytes: 1, nativePeakBytes: 2, processPeakBytes: 2 ** 33 },
};

const done: Report = {
  ...report,
  outcome: {
    ...{ kind: 'done', held: null, outputs: [], counters: { seen: 2 }, recordsIn: 5, skipped: 1, recordsOut: 4, refused: [] },
    ...{ intake: { records: 5, coverage: { bytes: 2 ** 40, seams: 7 } }, reads: [] },
  },
};
const assignment: Assignment = {
  ...{ job: 'job-1', task: { step: 0, stage: 'reduce', index: 3 }, generation: 2, attempt: 'reduce-3-g2-a1.7' },
  ...{ epoch: { term: 1, counter: 7 }, try: 2, backup: true },
};

/** Of a task of which there is nothing to tell. */
function short(index: number): Report {
  const outcome = {
    ...done.outcome,
    counters: {},
    intake: index === 5 ? null : { records: 0, coverage: { bytes: 2 ** 40, seams: 7 } },
  };
  const usage = { ...report.usage, milliseconds: 2 };
  return { ...report, task: { step: 0, stage: 'map', index }, attempt: `map-${index}-g0-a1.7`, outcome, usage } as Report;
}
const first: Assignment = {
  ...{ job: 'job-1', task: { step: 0, stage: 'map', index: 3 }, generation: 0, attempt: 'map-3-g0-a1.7' },
  ...{ epoch: { term: 1, counter: 7 }, try: 1, backup: false },
};

t.test('messages survive the trip', async (t) => {
  const { message, body } = decodeAtCoordinator(encode({ type: 'reports', worker: 'w1' } satisfies Reports, [report]));
  t.same(message, { type: 'reports', worker: 'w1' });
  t.same(body, [report]);
  const mixed = [
    short(3),
    short(4),
    report,
    done,
    short(5),
    { ...short(6), generation: 1 },
    { ...short(7), attempt: 'another-name' },
  ];
  const together = packReports.together(
    'w1',
    mixed.map((each) => ({ report: each, packed: packReports.one(each) })),
  );
  t.same(decodeAtCoordinator(together).body, mixed, 'packed one by one and sent together');
  t.same(together, encode({ type: 'reports', worker: 'w1' }, mixed));
  t.equal(packReports.one(short(3)), null);
  const many = Array.from({ length: 64 }, (_, i) => short(i));
  const sent = encode({ type: 'reports', worker: 'w1' }, many);
  t.same(decodeAtCoordinator(sent).body, many);
  t.ok(sent[1]!.length < 64 * 40, 'what they have in common goes once');
  const assignments = [first, { ...first, task: { ...first.task, index: 4 }, attempt: 'map-4-g0-a1.7' }, assignment];
  t.same(decodeFromCoordinator(encode({ type: 'assign', term: 1 }, assignments)).body, assignments);
  t.same(decodeFromCoordinator(encode({ type: 'assign', term: 1 }, [assignment])).body, [assignment]);
  const verdicts = { type: 'verdicts', verdicts: [{ job: 'job-1', attempt: 'a', verdict: 'discarded' }] } as const;
  t.same(decodeFromCoordinator(encode(verdicts)).message, verdicts);
  t.same(decodeFromCoordinator(encode({ type: 'shutdown' })).message, { type: 'shutdown' });
});

t.test('malformed messages are refused, never worse', async (t) => {
  const good = encode({ type: 'reports', worker: 'w1' }, [report]);
  const [group] = packReportList([short(3)]) as [unknown[]];
  const rows = group[7] as number[];
  const refused: [string, Uint8Array[]][] = [
    ['no frames', []],
    ['three frames', [...good, good[0]!]],
    ['body missing', [good[0]!]],
    ['not msgpack', [Buffer.from([0xc1])]],
    ['not an object', [pack([1])]],
    ['no such type', [pack({ type: 'toString' })]],
    ['inherited type', [pack({ type: '__proto__' })]],
    ['wrong direction', encode({ type: 'shutdown' })],
    ['shape', [pack({ type: 'credit', worker: 'w', seq: 1, capacity: -1 })]],
    [
      'NaN',
      [
        pack({
          type: 'heartbeat',
          worker: 'w',
          seq: 1,
          running: [{ job: 'j', attempt: 'a', progress: Number.NaN }],
          peakBytes: 1,
        }),
      ],
    ],
    ['list too short', [good[0]!, pack([['job-1', 0, 'map']])]],
    ['group of a list', [good[0]!, pack([group.with(7, [1, 2, 3])])]],
    ['job of a group', [good[0]!, pack([group.with(0, 'JOB')])]],
    ['index of a group', [good[0]!, pack([group.with(7, rows.with(0, 2 ** 40))])]],
    ['too many in a group', [good[0]!, pack([group.with(7, Array.from({ length: 65 }, () => rows).flat())])]],
    ['too many in groups', [good[0]!, pack(Array.from({ length: 33 }, () => group.with(7, [...rows, ...rows])))]],
    ['worker name', [pack({ type: 'worker-bye', worker: '../x' })]],
    ['too many', [pack({ type: 'reports', worker: 'w1' }), pack(Array.from({ length: 65 }, () => report))]],
    ['header too large', [pack({ type: 'worker-bye', worker: 'w', pad: 'x'.repeat(70_000) })]],
    ['body too large', [good[0]!, Buffer.alloc(MAX_BODY_BYTES + 1)]],
    ['promised length', [Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])]],
    ['extension', [Buffer.from([0xd4, 0x00, 0x00])]],
    ['deep', [Buffer.alloc(60_000, 0x91)]],
    ['trailing bytes', [Buffer.concat([pack({ type: 'jobs', request: 1, token: null }), Buffer.from([0])])]],
  ];
  t.not(whole()(-0), null, 'what equals 0 and is another key');
  for (const [name, frames] of refused) t.throws(() => decodeAtCoordinator(frames), { code: 'ERR_DAF_PROTOCOL' }, name);
  for (let cut = 0; cut < good[1]!.length; cut++) {
    t.throws(() => decodeAtCoordinator([good[0]!, good[1]!.subarray(0, cut)]), { code: 'ERR_DAF_PROTOCOL' });
  }
});

t.test('a malformed report of a named attempt is a failure of that attempt, and hurts none beside it', async (t) => {
  const [group] = packReportList([short(3), short(4)]) as [unknown[]];
  const rows = group[7] as number[];
  const width = rows.length / 2;
  const list = packReport(done) as unknown[];
  const kind = (frames: unknown): string[] =>
    (decodeAtCoordinator([pack({ type: 'reports', worker: 'w1' }), pack(frames)]).body as readonly Report[]).map(
      ({ attempt, outcome }) => `${attempt} ${outcome.kind === 'done' ? 'done' : outcome.error.code}`,
    );
  const [third, fourth] = ['map-3-g0-a1.7', 'map-4-g0-a1.7'];
  const bad = 'ERR_DAF_PROTOCOL';
  t.same(kind([group]), [`${third} done`, `${fourth} done`]);
  t.same(kind([group.with(7, rows.with(width + 3, -1))]), [`${third} done`, `${fourth} ${bad}`], 'a row');
  t.same(kind([group.with(7, rows.with(8, 2).with(10, 2 ** 40))]), [`${third} ${bad}`, `${fourth} done`], 'its seams');
  t.same(kind([group.with(5, null)]), [`${third} ${bad}`, `${fourth} ${bad}`], 'what rows have in common');
  for (const wrong of [[...list.slice(0, 13), -1], list.with(8, [null, [], null, 5, 1, [5], 4, [], []]), list.with(8, null)]) {
    t.same(kind([wrong, group.with(7, rows.slice(0, width))]), [`${done.attempt} ${bad}`, `${third} done`], 'a list');
  }
  for (const wrong of [list.with(1, -1), list.with(5, '../x'), list.with(7, 0.5)]) t.throws(() => kind([wrong]), { code: bad });
  for (const at of [0, 1]) t.throws(() => kind([group.with(7, rows.with(at, -1))]), { code: bad }, 'nobody knows of what');
});

t.test('random bytes: a value or ERR_DAF_PROTOCOL', async (t) => {
  let seed = 12345;
  const next = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed >>> 8;
  };
  const good = pack([report]);
  let refused = 0;
  for (let i = 0; i < 5000; i++) {
    const bytes = Buffer.from(good);
    for (let k = 0; k < 1 + (next() % 6); k++) bytes[next() % bytes.length] = next() & 255;
    try {
      unpack(bytes);
    } catch (error) {
      if (!DafError.is(error) || error.code !== 'ERR_DAF_PROTOCOL') throw error;
      refused += 1;
    }
  }
  t.ok(refused > 100);
});

t.test('what is too large to send is an error at the sender', async (t) => {
  t.throws(() => encode({ type: 'reply', request: 1 }, 'x'.repeat(MAX_BODY_BYTES)), { code: 'ERR_DAF_PROTOCOL' });
});

t.test('endpoints and tokens', async (t) => {
  const { endpoint, remove } = freshIpcEndpoint();
  t.ok(endpoint.length < 107 + 6);
  checkEndpoint(endpoint);
  remove();
  for (const wrong of [
    `ipc:///${'x'.repeat(120)}`,
    'ipc://',
    'tcp://0.0.0.0:80',
    'tcp://example.org:80',
    'tcp://127.0.0.1',
    'udp://x',
    'tcp://127.0.0.1:70000',
  ]) {
    t.throws(() => checkEndpoint(wrong), { code: 'ERR_DAF_BAD_OPTION' }, wrong);
  }
  t.ok(tokenMatches(null, null));
  t.ok(tokenMatches('a', 'a'));
  t.notOk(tokenMatches('a', 'b'));
  t.notOk(tokenMatches('a', null));
});

for (const transport of ['ipc', 'tcp'] as const) {
  t.test(`sockets over ${transport}: order, unknown peers, reconnect`, async (t) => {
    const fresh = freshIpcEndpoint();
    t.teardown(fresh.remove);
    const seen: { peer: string; message: Message }[] = [];
    const waiting: (() => void)[] = [];
    const handler = {
      onMessage(peer: string, frames: Buffer[]) {
        seen.push({ peer, message: decodeAtCoordinator(frames).message });
        for (const wake of waiting.splice(0)) wake();
      },
    };
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) await new Promise<void>((wake) => waiting.push(wake));
    };
    let router = await RouterSocket.bind([transport === 'ipc' ? fresh.endpoint : 'tcp://127.0.0.1:0'], handler);
    t.teardown(() => router.close());
    const endpoint = router.endpoints[0]!;
    if (transport === 'ipc') t.ok(existsSync(endpoint.slice('ipc://'.length)));
    else t.notMatch(endpoint, /:0$/);
    let connections = 0;
    const received: number[] = [];
    const dealer = new DealerSocket(endpoint, {
      onMessage(frames) {
        const { message } = decodeFromCoordinator(frames);
        if (message.type === 'reply') received.push(message.request);
        for (const wake of waiting.splice(0)) wake();
      },
      onConnected() {
        connections += 1;
        void dealer.send(encode({ type: 'jobs', request: connections, token: null }));
      },
    });
    t.teardown(() => dealer.close());
    await until(() => seen.length > 0);
    t.equal(await router.send('nobody', encode({ type: 'shutdown' })), false);
    const sent = await Promise.all(
      Array.from({ length: 500 }, (_, i) => router.send(seen[0]!.peer, encode({ type: 'reply', request: i }, 'x'.repeat(1000)))),
    );
    t.ok(sent.every(Boolean));
    await until(() => received.length === 500);
    t.same(
      received,
      Array.from({ length: 500 }, (_, i) => i),
    );

    await router.close();
    router = await RouterSocket.bind([endpoint], handler);
    await until(() => seen.length > 1);
    t.not(seen[1]!.peer, seen[0]!.peer, 'a reconnected peer has a new identity');
    await dealer.close();
    await router.close();
    t.equal(await dealer.send([]), false);
  });
}
