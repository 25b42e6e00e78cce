import { LIST_NAME } from '../list.js';

/** Of a person, from 0; sorts by number. */
export function personName(person: number): string {
  return `person-${String(person).padStart(6, '0')}`;
}

/** Where the files of a photo lie. What is true of it lies in a tree of its own: readers of photos take every picture for one. */
export function photoNames(person: number, index: number) {
  const name = `${personName(person)}/photo-${String(index + 1).padStart(2, '0')}`;
  return {
    photo: `photos/${name}.jpg`,
    landmarks: `photos/${name}.pts`,
    truth: `truth/${name}.json`,
    mask: `truth/${name}.mask.png`,
  } as const;
}

export function personNames(person: number) {
  const name = personName(person);
  return { truth: `truth/${name}/person.json`, mesh: `truth/${name}/neutral.ply` } as const;
}

/** Of the set as a whole. */
export const SET_FILE = 'dataset.json';
/** Also how readers know the set. */
export const LIST_FILE = LIST_NAME;
export const HEAD_FILE = 'truth/head.safetensors';
