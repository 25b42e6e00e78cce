const MAX_LENGTH = 80;
/** File names that some system keeps for itself. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * Output names for people: letters and digits of any script, `.`, `_` and `-`; anything else becomes `_`. 1…80 characters, no dot
 * first or last. Names that would meet (equal, equal after cleaning, or where a file system ignores case) get `~2`, `~3`, … in their order,
 * so that the same people always have the same keys.
 * @param names one a person, in an order that does not depend on the machine.
 * @returns the keys, in the order of the names.
 */
export function identityKeys(names: readonly string[]): string[] {
  const keys = new Array<string>(names.length);
  const taken = new Set<string>();
  const give = (i: number): void => {
    const base = cleanName(names[i]!);
    let key = base;
    for (let n = 2; taken.has(key.toLowerCase()); ++n) key = `${base.slice(0, MAX_LENGTH - 8)}~${n}`;
    taken.add(key.toLowerCase());
    keys[i] = key;
  };
  // Names that need no cleaning come first: they keep their own name whatever else is there.
  const order = [...names.keys()];
  for (const i of order.filter((j) => cleanName(names[j]!) === names[j])) give(i);
  for (const i of order.filter((j) => cleanName(names[j]!) !== names[j])) give(i);
  return keys;
}

function cleanName(name: string): string {
  const kept = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}._-]/gu, '_')
    .slice(0, MAX_LENGTH)
    // A cut through a surrogate pair leaves half a letter.
    .replace(/[\uD800-\uDBFF]$/, '')
    .replace(/^\.+|\.+$/g, '');
  if (/^_*$/.test(kept)) return 'person';
  return RESERVED.test(kept) ? `_${kept}` : kept;
}

/** The order of UTF-8 bytes, whatever the locale. */
export function byCodePoints(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
