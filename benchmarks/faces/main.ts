import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { addon } from '#daf/core/addon/index.js';
import { resolveModels } from '#daf/faces/models/resolve.js';
import { sharedData } from '../shared.js';
import { baselines } from './baselines.js';
import { writeIctHead } from './ict-head.js';
import { measureAflw, measureDlib, measureRendered, type SetResult } from './measure.js';
import { openEyes } from './measure-eyes.js';

const USAGE = `npm run eval:faces -- [--json FILE] [--models DIR|embedded]… [--rendered N] [--show DIR]
  Landmarks, boxes and poses on photos with truth, and on rendered ICT heads (2,000): for the models in the shared data and the
  embedded ones, or those named. --show draws what was found into a folder.`;

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    models: { type: 'string', multiple: true, default: [] },
    rendered: { type: 'string', default: '2000' },
    show: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const data = sharedData('faces');
  const packs = sharedData('models');
  if (data === null) throw new Error('there are no photos: set DAF_SHARED_DATA');
  const systems = values.models.length > 0 ? values.models : [...(packs === null ? [] : [packs]), 'embedded'];
  const head = heads();
  const results: Record<string, Record<string, SetResult>> = {};
  for (const system of systems) {
    const models = await resolveModels({ models: system }, {});
    if (models.detector === null || models.landmarks === null) {
      console.error(`${system}: no models, left out`);
      continue;
    }
    const eyes = await openEyes(models);
    const name = system === packs ? 'pack' : basename(system);
    const show = values.show === undefined ? null : join(values.show, name);
    const sets: Record<string, SetResult> = {
      dlib_training: await measureDlib(join(data, 'dlib_training'), eyes, show),
      aflw_8: await measureAflw(join(data, 'aflw_8'), eyes, show),
    };
    if (head !== null) sets['rendered'] = await measureRendered(head, Number(values.rendered), eyes);
    await eyes.dispose();
    results[name] = sets;
    report(name, sets);
  }
  if (packs !== null) {
    results['baselines'] = await baselines(data, packs);
    report('baselines', results['baselines']);
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

function heads(): ReturnType<ReturnType<typeof addon>['headLoad']> | null {
  const folder = sharedData('heads/ict_facekit');
  if (folder === null) return null;
  const place = mkdtempSync(join(tmpdir(), 'daf-eval-'));
  try {
    writeIctHead(folder, join(place, 'ict.safetensors'));
    return addon().headLoad(join(place, 'ict.safetensors'));
  } finally {
    rmSync(place, { recursive: true });
  }
}

function report(name: string, sets: Readonly<Record<string, SetResult>>): void {
  for (const [set, { measures, notes }] of Object.entries(sets)) {
    for (const [measure, { interval, unit }] of Object.entries(measures)) {
      if (interval === null) continue;
      const [mean, low, high] = [interval.mean, interval.low, interval.high].map((value) => value.toFixed(2));
      console.log(`${name} ${set} ${measure}: ${mean} ${unit} (95 % ${low} to ${high}, ${interval.count})`);
    }
    for (const note of notes) console.log(`${name} ${set}: ${note}`);
  }
}

if (values.help) console.log(USAGE);
else await main();
