import { parentPort, workerData } from 'node:worker_threads';
import { Field } from './field.js';

/** A thread that attaches to a field and answers with its densities at the points it was given. */
const { id, points } = workerData as { id: number; points: Float32Array };
using field = Field.attach(id);
parentPort?.postMessage(field.evaluate(points).density);
