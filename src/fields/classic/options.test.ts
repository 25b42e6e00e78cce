import { type Test, test } from 'tap';
import type { DafError } from '../../core/contracts/errors.js';
import { Field } from '../field.js';
import { orbit } from '../testing-scene.js';
import type { ClassicOptions, FieldOptions } from '../types.js';

const small: FieldOptions = {
  kind: 'classic',
  box: { min: [-2, -1, -1], max: [2, 3, 1] },
  occupancy: 8,
  width: 16,
  depth: 3,
};

function refused(t: Test, change: Partial<ClassicOptions>, code: string): void {
  try {
    Field.create({ ...small, ...change } as FieldOptions).dispose();
  } catch (error) {
    t.equal((error as DafError).code, code, String(error));
    return;
  }
  t.fail(`${JSON.stringify(change)}: expected ${code}`);
}

test('every architecture is created, saved and loaded as it was', (t) => {
  const changes: Partial<ClassicOptions>[] = [
    {},
    { positionFrequencies: 6, directionFrequencies: 2 },
    { skips: [], linearLayers: [0, 2], featureActivation: 'relu', densityActivation: 'relu' },
    { skips: [1, 2], viewWidth: 24, coordinates: 'world' },
    { coarse: true },
    { depth: 1, rawPosition: false, rawDirection: false, coordinateScale: Math.PI },
  ];
  const sizes = new Set<number>();
  for (const change of changes) {
    using field = Field.create({ ...small, ...change } as FieldOptions);
    sizes.add(field.parameterCount);
    const bytes = field.save();
    using again = Field.load(bytes);
    t.same(again.save(), bytes, JSON.stringify(change));
    t.same(again.render(orbit(0.4, 0.2, 9, 12)).rgba, field.render(orbit(0.4, 0.2, 9, 12)).rgba);
  }
  t.equal(sizes.size, changes.length);
  t.end();
});

test('world coordinates do not change with the box', (t) => {
  const at = (box: FieldOptions['box']): number => {
    using field = Field.create({ ...small, box, coordinates: 'world', seed: 3 } as FieldOptions);
    return field.evaluate(Float32Array.of(0.25, 0.5, -0.5)).density[0]!;
  };
  const density = at({ min: [-1, -1, -1], max: [1, 1, 1] });
  // Densities are kept per box edge.
  t.ok(Math.abs(at({ min: [-2, -1, -1], max: [2, 1, 1] }) * 2 - density) < 1e-4 * density);
  t.end();
});

test('an architecture that cannot be has a code', (t) => {
  for (const change of [
    { width: 12 },
    { depth: 0 },
    { depth: 33 },
    { skips: [3] },
    { skips: [2, 1] },
    { positionFrequencies: 17 },
  ])
    refused(t, change, 'ERR_DAF_BAD_ARGUMENT');
  refused(t, { rawPosition: false, positionFrequencies: 0 }, 'ERR_DAF_BAD_ARGUMENT');
  refused(t, { coordinateScale: 0 }, 'ERR_DAF_BAD_ARGUMENT');
  refused(t, { linearLayers: [-1] }, 'ERR_DAF_BAD_OPTION');
  refused(t, { skips: 2 as unknown as number[] }, 'ERR_DAF_BAD_OPTION');
  refused(t, { featureActivation: 'tanh' as 'relu' }, 'ERR_DAF_BAD_OPTION');
  refused(t, { densityActivation: 'softplus' as 'relu' }, 'ERR_DAF_BAD_OPTION');
  refused(t, { coordinates: 'unit' as 'box' }, 'ERR_DAF_BAD_OPTION');
  t.throws(() => Field.create({ ...small, box: { ...small.box, unbounded: true }, coordinates: 'world' } as FieldOptions), {
    code: 'ERR_DAF_BAD_OPTION',
  });
  t.end();
});
