import { DafError } from '../../../core/contracts/errors.js';
import type { Member } from '../../../core/contracts/messages.js';
import type { HeldCopy, TaskSource } from '../../../core/contracts/task.js';
import { copyTargets, Ring } from '../../wire/index.js';
import { isLoss } from '../lost-inputs.js';
import type { FetchedFile } from './fetched-file.js';
import type { Fetcher, Wanted } from './fetcher.js';
import type { GatherTarget } from './gather.js';

/** Workers asked to pass on what cannot be reached from here. */
const MAX_RELAYS = 3;

/**
 * Fetches from the first copy that is good. Where no holder can be reached over the network, other workers are asked to take a copy from
 * one of them, which is then fetched from there.
 * @throws DafError the last reason; ERR_DAF_UNREACHABLE when no way leads to a holder
 */
export async function fetchCopy(
  copies: readonly HeldCopy[],
  wanted: Wanted,
  crc32c: number | null,
  target: GatherTarget,
  fetcher: Fetcher,
  fetched: FetchedFile,
): Promise<TaskSource['place']> {
  const fetch = (endpoint: string): Promise<TaskSource['place']> =>
    fetched.take((write) => fetcher.fetch(endpoint, wanted, crc32c, write, () => target.isCancelled()));
  let why: unknown = new DafError('ERR_DAF_NOT_FOUND', `nobody serves ${wanted.attempt}`);
  for (const { worker, endpoint } of copies) {
    if (endpoint === null || fetched.silent.has(endpoint)) continue;
    try {
      return await fetch(endpoint);
    } catch (error) {
      why = error;
      if (!mayGoOn(error, endpoint, fetched)) throw error;
      if (copies.length > 1 && saysGone(error)) target.copyLost(wanted.attempt, worker);
    }
  }
  const cut = copies.flatMap(({ endpoint }) => (endpoint !== null && fetched.silent.has(endpoint) ? [endpoint] : []));
  if (cut.length === 0) throw why;
  return relayed(cut, copies, wanted, target, fetcher, fetched, fetch);
}

/** @param cut holders that are there, but not for this worker */
async function relayed(
  cut: readonly string[],
  copies: readonly HeldCopy[],
  wanted: Wanted,
  target: GatherTarget,
  fetcher: Fetcher,
  fetched: FetchedFile,
  fetch: (endpoint: string) => Promise<TaskSource['place']>,
): Promise<TaskSource['place']> {
  const tried: string[] = [];
  for (const { worker, endpoint } of await relays(copies, wanted, target)) {
    if (endpoint === null || fetched.silent.has(endpoint)) continue;
    if (tried.push(worker) > MAX_RELAYS) break;
    try {
      // It may have it: another reader may have asked for it.
      return await fetch(endpoint);
    } catch (error) {
      if (!mayGoOn(error, endpoint, fetched)) throw error;
      if (!saysGone(error)) continue;
    }
    for (const from of cut) {
      try {
        const { job, attempt, kind } = wanted;
        await fetcher.askToCopy(endpoint, { job, attempt, kind, from });
        return await fetch(endpoint);
      } catch (error) {
        if (!mayGoOn(error, endpoint, null)) throw error;
      }
    }
  }
  const holders = copies.map(({ worker }) => worker).join(', ');
  const through = tried.length === 0 ? 'and there is nobody to pass it on' : `nor through ${tried.join(', ')}`;
  throw new DafError(
    'ERR_DAF_UNREACHABLE',
    `${wanted.attempt} is held by ${holders}: not reached from ${target.host}, ${through}`,
    {
      hint: 'workers must reach each other’s data sockets (--data-listen), or lay what maps leave into the output store (--intermediate blob)',
      retryable: true,
    },
  );
}

/** Other workers, in an order that differs from output to output so that they share the work, those of other hosts first. */
async function relays(copies: readonly HeldCopy[], wanted: Wanted, target: GatherTarget): Promise<Member[]> {
  const members = new Map((await target.members()).map((member) => [member.worker, member]));
  const own = [...members.values()].filter(({ host }) => host === target.host);
  const ring = new Ring([...members.keys()]);
  return copyTargets(ring, `${wanted.job}/${wanted.attempt}`, members, [...copies, ...own]);
}

/** Notes who is silent. False for what no other way would change. */
function mayGoOn(error: unknown, endpoint: string, fetched: FetchedFile | null): boolean {
  const daf = DafError.from(error, 'ERR_DAF_IO');
  if (daf.code === 'ERR_DAF_UNREACHABLE') fetched?.silent.add(endpoint);
  return isLoss(daf);
}

/** Whoever answered has it no more, or not whole. */
export function saysGone(error: unknown): boolean {
  const { code } = DafError.from(error, 'ERR_DAF_IO');
  return code === 'ERR_DAF_NOT_FOUND' || code === 'ERR_DAF_BAD_DATA';
}
