import t from 'tap';
import { fewFiles, fullDisk } from './shortages.js';

t.test('the disk of the results is full', (t) => fullDisk(t, 'output'));
t.test('few files may be open', fewFiles);
