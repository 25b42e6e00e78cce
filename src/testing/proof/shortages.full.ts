import t from 'tap';
import { fewFiles, fullDisk, noFiles } from './shortages.js';

t.test('the disk of the results is full', (t) => fullDisk(t, 'output'));
t.test('few files may be open', fewFiles);
t.test('no file can be opened for a while', noFiles);
