import { parseArgs } from 'node:util';
import { writeBrickSet } from './write-set.js';

/** `node dist/testing/bricks/make.js <folder>`: a set of the size of the published synthetic ones. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '800' },
    train: { type: 'string', default: '100' },
    val: { type: 'string', default: '10' },
    test: { type: 'string', default: '25' },
    grid: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
  },
});
const [folder] = positionals;
if (folder === undefined)
  throw new Error('usage: make.js <folder> [--size 800] [--train 100] [--val 10] [--test 25] [--grid 2] [--seed 1]');
const [size, train, val, test, grid, seed] = [values.size, values.train, values.val, values.test, values.grid, values.seed].map(
  Number,
);
await writeBrickSet(folder, { size: size!, train: train!, val: val!, test: test!, grid: grid!, seed: seed! }, (name) => {
  process.stderr.write(`${name}\n`);
});
