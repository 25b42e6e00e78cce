import t from 'tap';
import { fullDisk, fullState } from './shortages.js';

t.test('the disk of the workers is full', (t) => fullDisk(t, 'data'));
t.test('the disk of the state is full', fullState);
