import { test } from 'tap';
import { parseKeyMap } from './key-map.js';

const good = { hidden: ['layers.*'], feature: 'f', density: 'd', view: 'v', color: 'c' };

test('a key map from JSON is checked', (t) => {
  const full = {
    ...good,
    linearLayers: [0],
    featureActivation: 'relu',
    densityActivation: 'exp',
    skipOrder: 'hidden-first',
    coordinateScale: 3.14,
  };
  for (const map of [good, full]) t.same(parseKeyMap(JSON.parse(JSON.stringify(map))), map);
  for (const wrong of [
    null,
    [],
    'map',
    {},
    { ...good, hidden: [] },
    { ...good, hidden: 'layers.*' },
    { ...good, view: '' },
    { ...good, color: 3 },
    { ...good, linearLayers: 0 },
    { ...good, skipOrder: 'first' },
    { ...good, densityActivation: 'softplus' },
    { ...good, coordinateScale: 0 },
    { ...good, colour: 'c' },
  ])
    t.throws(() => parseKeyMap(wrong), { code: 'ERR_DAF_BAD_OPTION' }, JSON.stringify(wrong));
  t.end();
});
