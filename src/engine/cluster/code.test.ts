import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { defineJob, isMain } from '../jobs/define.js';
import { EXTERNAL, resolveExternals } from '../jobs/load.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { jobCode } from './code.js';
import { inlineModule } from './inline.js';

const map = ({ value }: { value: string }, emit: (key: string, value: string) => void): void => emit(value, '');

t.test('functions that capture nothing are sent as text', async (t) => {
  const source = inlineModule(
    defineJob({
      name: 'inline',
      map({ value }, emit, context) {
        const local = [...value].map((letter) => letter.toUpperCase());
        for (const letter of local) emit(letter, context.params['suffix'] ?? String(Math.max(1, 2)));
      },
      reduce: (key, values, emit) => emit(key, [...values].join('')),
      async finalize(context) {
        const { createHash } = await import('node:crypto');
        await context.files.put('hash', createHash('sha256').update('x').digest('hex'));
      },
    }),
  );
  type Map = (record: object, emit: (key: string) => void, context: object) => void;
  const module = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { default: { map: Map } };
  const out: string[] = [];
  module.default.map({ value: 'ab' }, (key) => out.push(key), { params: {} });
  t.same(out, ['A', 'B']);
});

t.test('captured variables are named', async (t) => {
  const outer = 5;
  const cases: [string, object, RegExp][] = [
    ['a constant', { map: ({ value }: { value: string }) => value.length > outer }, /map uses "outer"/],
    ['an import', { map, reduce: () => join('a', 'b') }, /reduce uses "/],
    ['import.meta', { map: () => import.meta.url }, /map uses "import\.meta"/],
    ['in a nested function', { map: () => [1].map((x) => () => x + outer) }, /map uses "outer"/],
    ['as a default', { map: (_: unknown, x = outer) => x }, /map uses "outer"/],
  ];
  for (const [what, functions, message] of cases) {
    t.throws(() => inlineModule({ name: 'x', ...functions } as never), { code: 'ERR_DAF_INLINE_CAPTURE', message }, what);
  }
  t.throws(() => inlineModule({ name: 'x', map: map.bind(null) } as never), { code: 'ERR_DAF_BAD_JOB' });
});

t.test('a TypeScript module with imports becomes one file, the same every time', async (t) => {
  const folder = temporaryDirectory(t);
  for (const copy of ['one', 'two']) {
    mkdirSync(join(folder, copy));
    writeFiles(join(folder, copy), {
      'words.ts': 'export const split = (text: string): string[] => text.split(" ");',
      'job.ts': `import { createHash } from 'crypto';
        import { defineJob, isMain } from 'daf';
        import sharp from 'sharp';
        import { split } from './words.js';
        export default defineJob({ name: 'typed', module: import.meta.url, map({ value }: { value: string }, emit) {
          for (const word of split(value)) emit(createHash('md5').update(word).digest(), typeof sharp); } });
        if (isMain(import.meta)) throw new Error('must not run');`,
    });
  }
  const [one, two] = await Promise.all([jobCode(join(folder, 'one/job.ts'), folder), jobCode('two/job.ts', folder)]);
  t.equal(one.definition.name, 'typed');
  t.equal(one.sha256, two.sha256);
  const text = Buffer.from(one.bytes).toString();
  t.match(text, /"daf-external:daf"/);
  t.match(text, /"daf-external:sharp"/, 'native packages stay outside');
  t.match(text, /"node:crypto"/);
  t.notMatch(text, folder, 'no path of this machine');
  t.notMatch(resolveExternals(text), EXTERNAL);
});

t.test('mistakes in modules', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, {
    'none.ts': 'export const x = 1;',
    'syntax.ts': 'export default {',
    'missing.ts': "import './nowhere.js'; export default {};",
    'nameless.ts': 'export default { map() {} };',
    'misspelled.ts': "export default { name: 'x', map() {}, reducer() {} };",
    'throws.ts': "throw new Error('at the top'); export default {};",
    'external.ts': "import 'surely-not-installed'; export default { name: 'x', map() {} };",
  });
  for (const [file, expected] of Object.entries({
    'none.ts': { code: 'ERR_DAF_BAD_JOB', message: /no default export/ },
    'syntax.ts': { code: 'ERR_DAF_BAD_JOB', message: /syntax\.ts:1/ },
    'missing.ts': { code: 'ERR_DAF_BAD_JOB', message: /nowhere/ },
    'nameless.ts': { code: 'ERR_DAF_BAD_JOB', message: /name/ },
    'misspelled.ts': { code: 'ERR_DAF_BAD_JOB', message: /reducer/, hint: /"reduce"/ },
    'throws.ts': { code: 'ERR_DAF_USER_CODE', message: /at the top/ },
    'external.ts': { code: 'ERR_DAF_BAD_JOB', message: /surely-not-installed/ },
  })) {
    await t.rejects(jobCode(join(folder, file), folder), expected, file);
  }
});

t.test('shipped jobs are found by workers in their own installation', async (t) => {
  const { bytes, definition } = await jobCode(SHIPPED_JOBS['wordcount']!, '/');
  t.equal(definition.name, 'wordcount');
  t.match(
    Buffer.from(bytes).toString(),
    /^\/\/ daf \d+\.\d+\.\d+\nexport \{ default \} from "daf-external:#daf\/engine\/jobs\/wordcount\.js";\n$/,
  );
});

t.test('isMain is true in the program and nowhere else', async (t) => {
  const folder = temporaryDirectory(t);
  t.equal(isMain({ url: 'file:///other.js' }), false);
  const define = new URL('../jobs/define.js', import.meta.url).href;
  writeFileSync(join(folder, 'lib.mjs'), `import { isMain } from '${define}'; export const lib = isMain(import.meta);`);
  writeFileSync(
    join(folder, 'main.mjs'),
    `import { isMain } from '${define}'; import { lib } from './lib.mjs'; console.log(isMain(import.meta), lib);`,
  );
  t.equal(execFileSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8' }), 'true false\n');
});
