import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { sharedData } from '../shared.js';
import { makeAvatars } from './built.js';
import type { Context } from './context.js';

export interface People {
  /** Their photos, as paths. */
  readonly people: ReadonlyMap<string, readonly string[]>;
  /** Where the avatars are: of each person from all photos, and for each photo from all others. */
  readonly out: string;
}

/** Avatars of real people from the data beside the repository; null where it is missing. */
export function peopleAvatars({ work, quality }: Context): People | null {
  const folder = sharedData('faces/people');
  if (folder === null) return null;
  const people = new Map<string, string[]>();
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const person of folders.map(({ name }) => name).sort()) {
    const photos = readdirSync(join(folder, person)).sort();
    people.set(
      person,
      photos.map((name) => join(folder, person, name)),
    );
  }
  const input = join(work, 'people');
  for (const [person, photos] of people) {
    for (const left of [null, ...photos]) {
      const home = join(input, left === null ? person : withoutName(person, left));
      mkdirSync(home, { recursive: true });
      for (const photo of photos) if (photo !== left) cpSync(photo, join(home, basename(photo)));
    }
  }
  makeAvatars(input, `${input}-avatars`, quality);
  return { people, out: `${input}-avatars` };
}

/** Of the avatar of a person's other photos. */
export const withoutName = (person: string, photo: string): string => `${person}-without-${basename(photo, extname(photo))}`;
