import t from 'tap';
import { Cluster } from '../../engine/cluster/cluster.js';
import { SHIPPED_JOBS } from '../../engine/jobs/shipped.js';
import { sampleText, temporaryDirectory } from '../engine-fixture.js';
import { bigValues, manyReducers, oneKey, tinyFiles } from './bytes.js';

const cluster = await Cluster.local({ workers: 2, memory: '256MB' });
t.teardown(() => cluster.close());
const wordcount = SHIPPED_JOBS['wordcount']!;

t.test('many equal keys', (t) => oneKey(t, cluster, 80_000));

t.test('values in pieces and empty ones', (t) =>
  bigValues(t, cluster, [0, 1, (8 << 20) - 1, (8 << 20) + 1, 20 << 20], 256 << 20),
);

t.test('more parts than words', (t) => manyReducers(t, cluster, wordcount, sampleText(30, 3), 60));

t.test('tiny files', (t) => tinyFiles(t, cluster, temporaryDirectory(t), wordcount, 2100));
