import t from 'tap';
import { DafError } from '../../core/contracts/errors.js';
import { isLoss } from './lost-inputs.js';

t.test('what this worker lacks is no loss of what it reads', async (t) => {
  const short = Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE' });
  for (const error of [
    new DafError('ERR_DAF_IO', 'cannot open map-0.seg: Too many open files'),
    new DafError('ERR_DAF_IO', 'a fetch failed', { cause: short }),
    DafError.from(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })),
    new DafError('ERR_DAF_MEMORY_LIMIT', 'no'),
    new DafError('ERR_DAF_CANCELLED', 'no'),
  ])
    t.notOk(isLoss(error), error.message);
  for (const error of [
    new DafError('ERR_DAF_NOT_FOUND', 'cannot open map-0.seg: No such file or directory'),
    new DafError('ERR_DAF_BAD_DATA', 'block 3 of map-0.seg has another checksum'),
    new DafError('ERR_DAF_IO', 'cannot read map-0.seg: Input/output error'),
    new DafError('ERR_DAF_UNREACHABLE', 'nobody answers'),
  ])
    t.ok(isLoss(error), error.message);
});
