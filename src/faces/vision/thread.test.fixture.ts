// A task thread as tests need it: prepares one photo, tells its score, and goes when told (or with its models still open).
import { parentPort, workerData } from 'node:worker_threads';
import type { VisionModels } from '../types.js';
import { openVision } from './prepare.js';

const { models, photo, tidy } = workerData as { models: VisionModels; photo: string; tidy: boolean };
const vision = await openVision({ models });
const { quality } = await vision.prepare({ path: photo });
parentPort!.postMessage(quality.total);
if (tidy) await vision.dispose();
