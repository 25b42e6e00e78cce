import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openGlbViewer } from '#daf/testing/glb-check.js';
import type { Row } from '../row.js';
import type { Context, PartResult } from './context.js';
import { evaluateMorePhotos } from './more-photos.js';
import { evaluateRecognition } from './recognise.js';
import { evaluateRedetection } from './redetect.js';
import { evaluateViews } from './views.js';

const USAGE = `npm run eval:avatars -- [--json FILE] [--only a,b,c,d] [--people N] [--quality draft|standard|high] [--show DIR] [--keep DIR]
  How alike exported avatars are, by renderers that are not the pipeline's: (a) synthetic people (20) from five sides, the photo given among them
  as (e); (b) landmarks found again; (c) real people, one photo left out; (d) more photos. --show draws comparisons into a folder;
  --keep keeps inputs and avatars there, and takes those that it finds.`;

const PARTS: Readonly<Record<string, (context: Context) => Promise<PartResult>>> = {
  a: evaluateViews,
  b: evaluateRedetection,
  c: evaluateRecognition,
  d: evaluateMorePhotos,
};

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string', default: 'a,b,c,d' },
    people: { type: 'string', default: '20' },
    quality: { type: 'string', default: 'standard' },
    show: { type: 'string' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const wanted = values.only.split(',');
  const people = Number(values.people);
  if (wanted.some((part) => !Object.hasOwn(PARTS, part)) || !Number.isInteger(people) || people < 1) throw new Error(USAGE);
  const work =
    values.keep === undefined ? mkdtempSync(join(tmpdir(), 'daf-likeness-')) : join(resolve(values.keep), values.quality);
  mkdirSync(work, { recursive: true });
  await using viewer = await openGlbViewer();
  const context: Context = {
    viewer,
    work,
    quality: values.quality,
    people,
    show: values.show === undefined ? null : resolve(values.show),
    log: (line) => console.error(`   ${line}`),
  };
  const rows: Row[] = [];
  const details: Record<string, unknown> = {};
  try {
    for (const part of wanted) {
      console.error(`── ${part}`);
      const result = await PARTS[part]!(context);
      for (const one of result.rows) console.log(line(one));
      rows.push(...result.rows);
      details[part] = result.details;
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...origin(), rows, details }, null, 2)}\n`);
    }
  } finally {
    if (values.keep === undefined) rmSync(work, { recursive: true, force: true });
  }
  const aims = rows.filter(({ holds }) => holds !== null);
  console.error(`── ${aims.filter(({ holds }) => holds).length} of ${aims.length} hold`);
}

function origin() {
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version },
    options: { people: Number(values.people), quality: values.quality, only: values.only },
  };
}

function line({ question, case: what, value, unit, against, holds }: Row): string {
  const verdict = holds === null ? '' : holds ? ' holds:' : ' DOES NOT HOLD:';
  return `${verdict === '' ? '' : `${verdict.trim()} `}${question} (${what}): ${value.toFixed(value < 2 ? 3 : 2)} ${unit}, against ${against}`;
}

if (values.help) console.log(USAGE);
else await main();
