import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import type { FaceHint } from '../types.js';
import type { Dataset, DatasetEntry } from './dataset.js';
import { Beside, findBelow, numbersOf, type Row, tableRows } from './tables.js';

/** Where the release, and torchvision, put the lists and the photos. */
export const LIST_FOLDERS = ['', 'Anno', 'Eval'] as const;
const PHOTO_FOLDERS = ['', 'Img'] as const;
/** In the wild first: there the whole head is seen. */
const SETS = ['img_celeba', 'img_align_celeba', 'img_align_celeba_png'] as const;
const SPLITS = ['train', 'val', 'test'] as const;

interface Layout {
  readonly input: string;
  readonly identities: string;
  readonly photos: string;
  /** Folder of the photos below the input, as typed. */
  readonly below: string;
  readonly aligned: boolean;
  readonly png: boolean;
  /** Null where the list is not there. */
  readonly lists: {
    readonly attributes: string | null;
    readonly points: string | null;
    readonly boxes: string | null;
    readonly split: string | null;
  };
}

/**
 * CelebA (Liu et al., "Deep Learning Face Attributes in the Wild", ICCV 2015) as released: `identity_CelebA.txt`, and where they are there
 * `list_attr_celeba.txt`, `list_landmarks_celeba.txt` or `list_landmarks_align_celeba.txt` (as the photos are), `list_bbox_celeba.txt`
 * (in the wild only) and `list_eval_partition.txt`, in the folder, `Anno/` or `Eval/`; photos in `img_celeba` or `img_align_celeba`.
 * Lists are read side by side. Photos that are listed and missing, there and not listed, or annotated and of nobody are faults.
 * @throws DafError ERR_DAF_NOT_FOUND without identities or photos.
 */
export async function openCelebA(input: string): Promise<Dataset> {
  const layout = await layoutOf(input);
  return { kind: 'celeba', entries: () => entries(layout) };
}

async function layoutOf(input: string): Promise<Layout> {
  const root = resolve(input);
  const list = (name: string): Promise<string | null> => findBelow(root, LIST_FOLDERS, name);
  const identities = await list('identity_CelebA.txt');
  if (identities === null) {
    throw new DafError('ERR_DAF_NOT_FOUND', `${input}: identity_CelebA.txt is missing, which says who is on a photo`, {
      hint: 'fetch it, or give the folder of photos itself with --dataset folders',
    });
  }
  for (const set of SETS) {
    const found = await findBelow(root, PHOTO_FOLDERS, set);
    if (found === null) continue;
    // Some archives hold a folder in a folder of the same name.
    const inner = join(found, set);
    const photos = (await stat(inner).catch(() => null))?.isDirectory() ? inner : found;
    const aligned = set !== 'img_celeba';
    return {
      input,
      identities,
      photos,
      below: photos.slice(root.length + 1),
      aligned,
      png: set.endsWith('_png'),
      lists: {
        attributes: await list('list_attr_celeba.txt'),
        points: await list(aligned ? 'list_landmarks_align_celeba.txt' : 'list_landmarks_celeba.txt'),
        boxes: aligned ? null : await list('list_bbox_celeba.txt'),
        split: await list('list_eval_partition.txt'),
      },
    };
  }
  throw new DafError('ERR_DAF_NOT_FOUND', `${input} has no folder of photos`, { hint: `expected ${SETS.join(', ')}` });
}

async function* entries(layout: Layout): AsyncGenerator<DatasetEntry> {
  const { lists, identities, png } = layout;
  let columns: readonly string[] = [];
  const beside = new Map<string, Beside>();
  const add = (file: string | null, rows: (file: string) => AsyncGenerator<Row>): void => {
    if (file !== null) beside.set(file, new Beside(rows(file)));
  };
  add(lists.attributes, (file) => tableRows(file, { columns: null, header: true }, (names) => (columns = names)));
  add(lists.points, (file) => tableRows(file, { columns: 10, header: true }));
  add(lists.boxes, (file) => tableRows(file, { columns: 4, header: true }));
  add(lists.split, (file) => tableRows(file, { columns: 1, header: false }));
  const typed = (name: string): string => `${layout.input.replace(/\/+$/, '')}/${layout.below}/${name}`;
  const files = (await readdir(layout.photos)).filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
  let file = 0;
  function* unlisted(until: string | null): Generator<DatasetEntry> {
    for (; file < files.length && (until === null || files[file]! < until); file++) {
      yield { name: typed(files[file]!), fault: new DafError('ERR_DAF_BAD_DATA', 'is not in identity_CelebA.txt') };
    }
  }
  const rows = new Map<string, Row | null>();
  async function* advance(name: string | null): AsyncGenerator<DatasetEntry> {
    for (const [list, reader] of beside) {
      const { row, passed } = await reader.at(name);
      rows.set(list, row);
      for (const each of passed) {
        const where = `${basename(list)}:${each.line}`;
        yield {
          name: typed(each.name),
          fault: new DafError('ERR_DAF_BAD_DATA', `${where} is of a photo that identity_CelebA.txt does not name`),
        };
      }
    }
  }
  for await (const { name, values, line } of tableRows(identities, { columns: 1, header: false })) {
    const person = values[0]!;
    yield* advance(name);
    const photo = png ? name.replace(/\.jpg$/, '.png') : name;
    yield* unlisted(photo);
    if (!/^\d+$/.test(person) || /[/\\]/.test(name)) {
      yield {
        name: typed(photo),
        fault: new DafError('ERR_DAF_BAD_DATA', `identity_CelebA.txt:${line}: "${person}" is no number of a person`),
      };
      continue;
    }
    if (files[file] !== photo) {
      yield {
        name: typed(photo),
        fault: new DafError('ERR_DAF_NOT_FOUND', `identity_CelebA.txt:${line} names it, and it is not there`),
      };
      continue;
    }
    file += 1;
    const row = (list: string | null): Row | null => (list === null ? null : (rows.get(list) ?? null));
    const hint = hintOf(layout, row(lists.points), row(lists.boxes));
    const attributes: Record<string, string | number> = {};
    const attributeRow = row(lists.attributes);
    if (attributeRow !== null) {
      for (const [i, value] of numbersOf(lists.attributes!, attributeRow).entries()) attributes[columns[i]!] = value;
    }
    const split = row(lists.split)?.values[0];
    if (split !== undefined) attributes['split'] = SPLITS[Number(split)] ?? split;
    yield { name: typed(photo), path: join(layout.photos, photo), identity: person, hint, attributes };
  }
  yield* advance(null);
  yield* unlisted(null);
}

/** Pixels count from 0 at the centre of the first one, as usual; DAF's from its corner. */
function hintOf({ lists }: Layout, points: Row | null, boxes: Row | null): FaceHint | null {
  const five = points === null ? null : numbersOf(lists.points!, points).map((value) => value + 0.5);
  const [x, y, width, height] = boxes === null ? [] : numbersOf(lists.boxes!, boxes);
  // The release holds a few boxes without extent.
  const box = width! > 0 && height! > 0 ? { x: x!, y: y!, width: width!, height: height! } : null;
  return five === null && box === null ? null : { size: null, points68: null, points5: five, box };
}
