import { badData } from '../formats/bad-data.js';
import { type KeyMap, LAYOUTS } from './key-map.js';

/** A key map whose names are those of one file's arrays. */
export interface FoundLayers {
  /** Of the known layout, or null for a key map of the caller's. */
  readonly layout: string | null;
  readonly map: KeyMap;
  /** Before every name, e.g. `fine.`. */
  readonly prefix: string;
  /** Every hidden layer by its whole name. */
  readonly hidden: readonly string[];
}

/**
 * The layers of a weight file: by the caller's key map, or by whichever known layout has its names there.
 * @param names of the file's arrays.
 * @param prefix before the layers' names; where null, the only one there is, or of several the one that says `fine`.
 * @throws DafError ERR_DAF_BAD_DATA: no layout or several networks fit.
 */
export function findLayers(path: string, names: readonly string[], map: KeyMap | null, prefix: string | null): FoundLayers {
  const candidates: (readonly [string | null, KeyMap])[] = map === null ? Object.entries(LAYOUTS) : [[null, map]];
  for (const [layout, candidate] of candidates) {
    const prefixes = prefixesOf(names, candidate).filter((one) => prefix === null || one === prefix);
    if (prefixes.length === 0) continue;
    const chosen = prefixes.length === 1 ? prefixes : prefixes.filter((one) => one.includes('fine'));
    if (chosen.length !== 1) {
      throw badData(
        `${path} holds several networks`,
        `choose one by its prefix: ${prefixes.map((one) => `"${one}"`).join(', ')}`,
      );
    }
    const hidden = candidate.hidden.flatMap((name) => expand(names, `${chosen[0]}${name}`));
    return { layout, map: candidate, prefix: chosen[0]!, hidden };
  }
  const where = prefix === null ? '' : ` behind the prefix "${prefix}"`;
  throw badData(
    `${path} holds none of the known networks${where}`,
    `known layouts: ${Object.keys(LAYOUTS).join(', ')}; other names are told by a key map (docs/fields.md). It holds ${names.slice(0, 12).join(', ')}`,
  );
}

/** Of whole networks only: what stands before the density layer's name wherever the view layer has it too. */
function prefixesOf(names: readonly string[], map: KeyMap): string[] {
  const before = (layer: string): string[] => {
    const end = `${layer}.weight`;
    return names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
  };
  const views = before(map.view);
  return before(map.density).filter((prefix) => (prefix === '' || /[._/]$/.test(prefix)) && views.includes(prefix));
}

/** `a.*` → a.0, a.1, … as far as there are; counting may begin at 0 or 1. */
function expand(names: readonly string[], pattern: string): string[] {
  if (!pattern.includes('*')) return [pattern];
  const at = (i: number): string => pattern.replace('*', String(i));
  const known = (i: number): boolean => names.includes(`${at(i)}.weight`);
  const layers: string[] = [];
  for (let i = known(0) ? 0 : 1; known(i); i++) layers.push(at(i));
  return layers;
}
