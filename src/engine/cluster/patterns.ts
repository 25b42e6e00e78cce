import picomatch from 'picomatch';

/** Which of the files below a folder are wanted. Both are asked with paths relative to it. */
export interface Filter {
  takes(file: string): boolean;
  /** False where nothing below can be wanted. */
  enters(folder: string): boolean;
}

export const EVERYTHING: Filter = { takes: () => true, enters: () => true };

// `s`: names may have line breaks. Hidden files have to be asked for.
const OPTIONS = { dot: false, flags: 's', nonegate: true };

/** `*` and `?` within a name, `**` across folders, `{a,b}`, `[a-z]`, `@(a|b)`. */
export function isPattern(text: string): boolean {
  return picomatch.scan(text).isGlob;
}

/** `../a/pg-*.txt` → `../a/` as typed, and the pattern below it. */
export function splitPattern(input: string): { base: string; pattern: string } {
  const parts = input.split('/');
  let fixed = 0;
  while (fixed < parts.length - 1 && !isPattern(parts[fixed]!) && !parts[fixed]!.includes('{')) fixed += 1;
  return { base: fixed === 0 ? '' : `${parts.slice(0, fixed).join('/')}/`, pattern: parts.slice(fixed).join('/') };
}

/** The files that match a pattern. Folders are entered as far as it tells by their names. */
export function filterOf(pattern: string): Filter {
  const takes = picomatch(pattern, OPTIONS);
  const parts = pattern.split('/');
  const braced = parts.findIndex((part) => !isBalanced(part));
  // From here on folders may have any name and any depth.
  const open = Math.min(...[braced, parts.indexOf('**')].map((at) => (at < 0 ? parts.length : at)));
  const matchers = parts.slice(0, open).map((part) => picomatch(part, OPTIONS));
  return {
    takes,
    enters(folder) {
      const names = folder.split('/');
      if (open === parts.length && names.length >= parts.length) return false;
      const hidden = names.slice(open).some((name) => name.startsWith('.'));
      return !(hidden && !/(^|[/{,(|])\./.test(pattern)) && names.slice(0, open).every((name, i) => matchers[i]!(name));
    },
  };
}

/** False for a part of an alternative that spans several folders. */
function isBalanced(part: string): boolean {
  const count = (chars: RegExp): number => part.match(chars)?.length ?? 0;
  return count(/[{(]/g) === count(/[})]/g);
}
