import t from 'tap';
import { sampleText, temporaryDirectory, writeFiles } from '../engine-fixture.js';
import { sevenChecks } from './seven-checks.js';

t.test('seven black-box checks on small documents', async (t) => {
  const folder = temporaryDirectory(t);
  const names = Array.from({ length: 8 }, (_, i) => `text-${'abcdefgh'.slice(i)}.txt`);
  const documents = Object.fromEntries(names.map((name, i) => [name, `the cat and ${sampleText(60 + 40 * i, i)}`]));
  writeFiles(folder, documents);
  await sevenChecks(t, { folder, documents, pauseMs: 50 });
});
