import { addon } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import type { Precision } from './types.js';

const PRECISIONS: readonly Precision[] = ['fp32', 'bf16', 'int8'];
const warned = new Set<Precision>();

/**
 * The precision that inference runs in when `asked` is wished for: itself, or fp32 where this CPU, or the instruction set forced upon DAF,
 * lacks it. The first time, a process warning `DAF_PRECISION` says so.
 * @throws DafError ERR_DAF_BAD_OPTION for an unknown name
 */
export function usablePrecision(asked: Precision = 'fp32', name = 'precision'): Precision {
  if (!PRECISIONS.includes(asked)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name}: unknown precision "${asked}"`, {
      hint: `known: ${PRECISIONS.join(', ')}`,
    });
  }
  const { isa, precisions } = addon().cpuInfo();
  if (precisions.includes(asked)) return asked;
  if (!warned.has(asked)) {
    warned.add(asked);
    process.emitWarning(`precision ${asked} needs AVX-512 with BF16 and VNNI; with ${isa} DAF computes in fp32 instead`, {
      code: 'DAF_PRECISION',
      detail: '`daf doctor` lists what this CPU has',
    });
  }
  return 'fp32';
}
