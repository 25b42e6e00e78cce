import { Field } from '../field.js';
import { orbit, spherePicture } from '../testing-scene.js';

/** A field that has learnt the sphere of radius 6 of testing-scene.ts, coloured by its normal. */
export function sphereField(): Field {
  const box = { min: [-9, -9, -9], max: [9, 9, 9] } as const;
  const field = Field.create({ kind: 'hashgrid', box, levels: 8, log2Entries: 13, finest: 64, occupancy: 32 });
  const views = Array.from({ length: 16 }, (_, i) => spherePicture(orbit(i * 2.4, (i % 5) * 0.5 - 1, 60, 64), 'supervised'));
  using session = field.train(views, { totalSteps: 280, samplesPerStep: 4096 });
  session.run(280);
  return field;
}
