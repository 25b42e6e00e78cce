/** The known word that a misspelt one most likely means, or undefined when none is near. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const flat = normal(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(flat.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(flat, normal(candidate), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `readOnly`, `read-only` and `readonly` are one word to a person. */
function normal(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}

/** Levenshtein distance, or `limit` when it is at least that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return Math.min(previous[b.length]!, limit);
}
