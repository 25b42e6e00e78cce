import type Sharp from 'sharp';
import { DafError } from './contracts/errors.js';

let loading: Promise<typeof Sharp> | undefined;

/**
 * sharp, loaded on first use: only processes that touch photos pay for it. One thread and no cache, because DAF's parallelism is
 * its task threads and a cache would count against the worker's budget.
 */
export function loadSharp(): Promise<typeof Sharp> {
  loading ??= load();
  return loading;
}

async function load(): Promise<typeof Sharp> {
  try {
    const { default: sharp } = await import('sharp');
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  } catch (cause) {
    loading = undefined;
    throw new DafError('ERR_DAF_UNSUPPORTED', `sharp does not load on ${process.platform}-${process.arch}`, {
      hint: 'npm install --include=optional sharp',
      cause,
    });
  }
}
