/** A thread that trains until it is cancelled: see terminated.test.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { Field } from './index.js';
import { orbit, spherePicture } from './testing-scene.js';

const { shared } = workerData as { shared: SharedArrayBuffer };
const field = Field.create({ kind: 'hashgrid', box: { min: [-8, -8, -8], max: [8, 8, 8] }, occupancy: 16, levels: 2 });
const session = field.train([spherePicture(orbit(0, 0, 60, 32), 'supervised')], { totalSteps: 1_000_000 });
parentPort?.postMessage('ready');
session.run(1_000_000, new Int32Array(shared));
