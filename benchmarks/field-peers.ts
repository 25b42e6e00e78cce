/**
 * Question: how much faster than PyTorch on the CPU does a field train? Two answers, one thread each, interleaved, by computing time. Steps on
 * the same points: the same networks and the same hash grid, forward and backward, without the optimiser and the making of samples. Whole
 * training on the same pictures from nothing: how many rays a second each learns from, everything included, and how good both are then.
 * PyTorch is installed in an environment of the benchmark's own; where it cannot be, the comparison is skipped.
 */
import { addon } from '#daf/core/addon/index.js';
import { Field } from '#daf/fields/index.js';
import { show } from './peer.js';
import { pythonEnvironment, TORCH } from './peers/environment.js';
import { type FieldKind, TorchPeer } from './peers/torch.js';
import { wholeTraining } from './peers/training.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'field';
export const name = 'peers';

const QUESTION = 'field training against PyTorch';
const REACH = { classic: 3, hashgrid: 10 } as const;
const WHAT = {
  classic: 'classic 8×256, batch of 8192 samples',
  hashgrid: 'hash grid 16 levels × 2 × 2^17, batch of 32768 samples',
} as const;
const WHOLE_SECONDS = { classic: 120, hashgrid: 60 } as const;
const KINDS = ['classic', 'hashgrid'] as const;

export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const environment = pythonEnvironment(TORCH, log);
  if ('missing' in environment) {
    log(`field-peers: skipped, no PyTorch: ${environment.missing}`);
    return [];
  }
  await using peer = await TorchPeer.start(environment.python);
  log(`torch ${peer.version}; one thread each`);
  const box = { min: [-1, -1, -1], max: [1, 1, 1] } as const;
  using classic = Field.create({ kind: 'classic', box, occupancy: 8 });
  using hashgrid = Field.create({ kind: 'hashgrid', box, occupancy: 8, levels: 16, log2Entries: 17, coarsest: 16, finest: 512 });
  const fields = { classic, hashgrid };
  const ours = { classic: [] as number[], hashgrid: [] as number[] };
  const theirs = { classic: [] as number[], hashgrid: [] as number[] };
  const seconds = quick ? 0.1 : 2;
  for (let round = 0; round < (quick ? 1 : 7); round++) {
    for (const kind of KINDS) {
      theirs[kind].push(await peer.rate(kind, seconds));
      ours[kind].push(fields[kind].measure('training', seconds));
    }
  }
  const rows = KINDS.map((kind) => {
    const [rate, torch] = [median(ours[kind]), median(theirs[kind])];
    const against = `PyTorch ${peer.version} ${show(torch)}`;
    return row(
      `${QUESTION}, passes over the same points`,
      `${WHAT[kind]}, ${addon().cpuInfo().isa}`,
      rate,
      'samples/s',
      against,
      rate / torch,
      null,
    );
  });
  for (const kind of KINDS) rows.push(...(await whole(peer, kind, quick)));
  return rows;
}

async function whole(peer: TorchPeer, kind: FieldKind, quick: boolean): Promise<Row[]> {
  const seconds = quick ? 2 : WHOLE_SECONDS[kind];
  const [size, pictures] = quick ? [48, 8] : [200, 40];
  const { ours, theirs } = await wholeTraining(peer, { kind, seconds, turns: quick ? 1 : 6, size, pictures });
  const what = `${kind}, ${pictures} pictures of ${size}×${size}, ${seconds} s of one thread from nothing, ${addon().cpuInfo().isa}`;
  return [
    row(
      `${QUESTION}, whole training on the same rays`,
      what,
      ours.rays,
      'rays/s',
      `PyTorch ${peer.version} ${show(theirs.rays)}`,
      ours.rays / theirs.rays,
      REACH[kind],
    ),
    row(
      `${QUESTION}, held-out PSNR then`,
      what,
      ours.psnr,
      'dB',
      `PyTorch ${peer.version} ${theirs.psnr.toFixed(2)} dB`,
      ours.psnr / theirs.psnr,
      1,
    ),
  ];
}
