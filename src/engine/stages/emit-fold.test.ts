import { test } from 'tap';
import { EmitFold } from './emit-fold.js';

type Field = string | Uint8Array;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (field: Field): string => (typeof field === 'string' ? field : new TextDecoder().decode(field));

/** Emits through a fold. @returns what came out, and by key, end to end */
function folded(
  records: readonly (readonly [Field, Field])[],
  combine: (values: readonly string[]) => readonly Field[],
): { readonly out: readonly (readonly [string, string])[]; readonly joined: Record<string, string> } {
  const out: [string, string][] = [];
  const fold = new EmitFold(
    (key, values, emit) => {
      for (const value of combine(values)) emit(key, value);
    },
    (key, value) => out.push([text(key), text(value)]),
  );
  for (const [key, value] of records) fold.emit(key, value);
  fold.flush();
  return { out, joined: join(out) };
}

function join(records: readonly (readonly [Field, Field])[]): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [key, value] of records) joined[text(key)] = (joined[text(key)] ?? '') + text(value);
  return joined;
}

const sum = (values: readonly string[]): string[] => [String(values.reduce((total, value) => total + Number(value), 0))];

test('frequent keys leave once, with all that was counted', (t) => {
  const records = Array.from({ length: 120_000 }, (_, i) => [`k${(i * 7919) % (i % 2 === 0 ? 50 : 30_000)}`, '1'] as const);
  const { out } = folded(records, sum);
  const counts = new Map<string, number>();
  for (const [key, value] of out) counts.set(key, (counts.get(key) ?? 0) + Number(value));
  const expected = new Map<string, number>();
  for (const [key] of records) expected.set(key, (expected.get(key) ?? 0) + 1);
  t.equal(counts.size, expected.size);
  t.ok([...expected].every(([key, count]) => counts.get(key) === count));
  t.equal(out.filter(([key]) => key === 'k0').length, 1);
  t.ok(out.length < records.length / 2);
  t.end();
});

test('the values of a key keep their order, whatever they are and whatever the combiner makes of them', (t) => {
  const long = 'a value longer than what is held';
  const records = Array.from({ length: 3000 }, (_, i) => {
    const value = i % 97 === 0 ? long : i % 89 === 0 ? bytes(`b${i},`) : `${i},`;
    return [`k${i % 13}`, value] as const;
  });
  for (const combine of [
    (values: readonly string[]) => values, // no fewer
    (values: readonly string[]) => [values.join('')], // too long to be held
    (values: readonly string[]) => [values.slice(0, 2).join(''), bytes(values.slice(2).join(''))],
  ]) {
    t.same(folded(records, combine).joined, join(records));
  }
  t.end();
});

test('a key in bytes that may be one held as text ends the holding', (t) => {
  const records = [...'abcabc'].map((key, i) => [i === 4 ? bytes(key) : key, String(i)] as const);
  t.same(folded(records, (values) => [values.join('')]).joined, { a: '03', b: '14', c: '25' });
  t.end();
});

test('texts that are the same bytes are one key', (t) => {
  const records = ['\ud800', '\ufffd', '\udc00', '\ufffd'].map((key, i) => [key, String(i)] as const);
  const out: string[] = [];
  const fold = new EmitFold(
    (key, values, emit) => emit(key, values.join('')),
    (_, value) => out.push(text(value)),
  );
  for (const [key, value] of records) fold.emit(key, value);
  fold.flush();
  t.same(out.join(''), '0123');
  t.end();
});

test('keys that do not come again are not held for long', (t) => {
  const records = Array.from({ length: 110_000 }, (_, i) => [`u${i}`, '1'] as const);
  const { out } = folded(records, sum);
  t.equal(out.length, records.length);
  t.ok(out.slice(100_000).every(([key], i) => key === `u${100_000 + i}`));
  t.end();
});
