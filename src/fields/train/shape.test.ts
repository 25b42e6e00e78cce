import t from 'tap';
import { Field } from '../field.js';
import { parseShape } from './shape.js';

t.test('the shape of a field from text', async (t) => {
  t.same(parseShape('hashgrid'), { kind: 'hashgrid' });
  t.same(parseShape('hashgrid', 'levels=16, log2Entries=19,occupancy=64'), {
    kind: 'hashgrid',
    levels: 16,
    log2Entries: 19,
    occupancy: 64,
  });
  t.same(parseShape('classic', 'depth=4,skips=1+2,linearLayers=,coarse=true,densityActivation=relu'), {
    kind: 'classic',
    depth: 4,
    skips: [1, 2],
    linearLayers: [],
    coarse: true,
    densityActivation: 'relu',
  });
  const box = { min: [0, 0, 0], max: [1, 1, 1] } as const;
  using made = Field.create({ ...parseShape('classic', 'depth=3,width=32,skips=1'), box });
  using deeper = Field.create({ ...parseShape('classic', 'depth=4,width=32,skips=1'), box });
  t.equal(deeper.parameterCount - made.parameterCount, 32 * 32 + 32, 'one more layer');
  for (const [kind, text] of [
    ['hashgrid', 'levels'],
    ['hashgrid', '=3'],
    ['hashgrid', 'levels='],
    ['hashgrid', 'levels=many'],
    ['hashgrid', 'depth=4'],
    ['classic', 'levels=4'],
    ['classic', 'coarse=yes'],
    ['classic', 'skips=1+x'],
    ['voxels', ''],
  ] as const)
    t.throws(() => parseShape(kind, text), { code: 'ERR_DAF_BAD_OPTION' }, `${kind} ${text}`);
});
