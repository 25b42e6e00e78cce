// node memory-child.test.fixture.js <small photo> <big photo> <models folder or ''>: see memory.test.ts.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { resolveModels } from '../models/resolve.js';
import { openVision } from './prepare.js';

const [small = '', big = '', models = ''] = process.argv.slice(2);
const anonymous = (): number => Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

/** Largest anonymous memory seen since it was last set to 0, KB; kept by a thread of its own. */
const peak = new Int32Array(new SharedArrayBuffer(4));
const sampler = `
  const { readFileSync } = require('node:fs');
  const { workerData: peak } = require('node:worker_threads');
  setInterval(() => {
    const now = Number(/RssAnon:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    if (now > peak[0]) peak[0] = now;
  }, 5);`;
new Worker(sampler, { eval: true, workerData: peak }).unref();

const vision = await openVision({ models: await resolveModels(models === '' ? {} : { models }, {}) });
await vision.prepare({ path: small });
await new Promise((resolve) => setTimeout(resolve, 200));
const base = anonymous();
peak[0] = 0;
const start = performance.now();
for (let i = 0; i < 2; ++i) await vision.prepare({ path: big });
const ms = (performance.now() - start) / 2;
await new Promise((resolve) => setTimeout(resolve, 20));
process.stdout.write(JSON.stringify({ baseMb: base / 1024, riseMb: (peak[0]! - base) / 1024, ms }));
process.exit(0);
