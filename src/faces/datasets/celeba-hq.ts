import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { LIST_FOLDERS } from './celeba.js';
import type { Dataset, DatasetEntry } from './dataset.js';
import { damaged, findBelow, linesOf, tableRows } from './tables.js';

const MAPPING = 'CelebA-HQ-to-CelebA-mapping.txt';
const FOLDERS = ['CelebA-HQ-img', 'CelebA-HQ-img-1024', 'CelebA-HQ-img-512', 'CelebA-HQ-img-256'] as const;

/**
 * CelebA-HQ (Karras et al., ICLR 2018) in the form of CelebAMask-HQ: `CelebA-HQ-to-CelebA-mapping.txt` (idx, orig_idx, orig_file) and
 * `CelebA-HQ-img/<idx>.jpg`. With CelebA's `identity_CelebA.txt` beside it photos of one person are one person; without, each is its own.
 * @throws DafError ERR_DAF_NOT_FOUND without photos or mapping.
 */
export async function openCelebAHq(input: string): Promise<Dataset> {
  const root = resolve(input);
  const mapping = await findBelow(root, [''], MAPPING);
  const folder = (await Promise.all(FOLDERS.map((name) => findBelow(root, [''], name)))).find((path) => path !== null);
  if (mapping === null || folder === undefined) {
    const missing = mapping === null ? MAPPING : FOLDERS[0];
    throw new DafError('ERR_DAF_NOT_FOUND', `${input}: ${missing} is missing`);
  }
  const identities = await findBelow(root, [...LIST_FOLDERS, 'CelebA', 'CelebA/Anno'], 'identity_CelebA.txt');
  const typed = `${input.replace(/\/+$/, '')}/${folder!.slice(root.length + 1)}`;
  return { kind: 'celeba-hq', entries: () => entries(mapping, folder!, identities, typed) };
}

async function* entries(mapping: string, folder: string, identities: string | null, typed: string): AsyncGenerator<DatasetEntry> {
  const people = new Map<string, string>();
  if (identities !== null) {
    for await (const { name, values } of tableRows(identities, { columns: 1, header: false })) people.set(name, values[0]!);
  }
  const left = new Map<string, string>();
  for (const name of (await readdir(folder)).sort()) {
    const match = /^0*(\d+)\.(jpe?g|png|webp)$/i.exec(name);
    if (match !== null) left.set(match[1]!, name);
  }
  const seen = new Set<string>();
  for await (const { text, line } of linesOf(mapping)) {
    const words = text.trim().split(/\s+/);
    if (line === 1 && words.join(' ') !== 'idx orig_idx orig_file')
      throw damaged(mapping, line, 'is not "idx orig_idx orig_file"');
    if (line === 1 || text.trim() === '') continue;
    const [index, original, file] = words;
    if (words.length !== 3 || !/^\d+$/.test(index!) || !/^\d+$/.test(original!))
      throw damaged(mapping, line, 'is not idx, orig_idx, orig_file');
    if (seen.has(index!)) throw damaged(mapping, line, `${index} comes twice`);
    seen.add(index!);
    const photo = left.get(index!);
    left.delete(index!);
    if (photo === undefined) {
      yield {
        name: `${typed}/${index}.jpg`,
        fault: new DafError('ERR_DAF_NOT_FOUND', `${MAPPING}:${line} names it, and it is not there`),
      };
      continue;
    }
    const person = people.get(file!);
    if (identities !== null && (person === undefined || !/^\d+$/.test(person))) {
      yield { name: `${typed}/${photo}`, fault: new DafError('ERR_DAF_BAD_DATA', `${file} is not in identity_CelebA.txt`) };
      continue;
    }
    yield {
      name: `${typed}/${photo}`,
      path: join(folder, photo),
      identity: person ?? `hq-${index!.padStart(5, '0')}`,
      hint: null,
      attributes: { celeba: file! },
    };
  }
  for (const photo of left.values())
    yield { name: `${typed}/${photo}`, fault: new DafError('ERR_DAF_BAD_DATA', `is not in ${MAPPING}`) };
}
