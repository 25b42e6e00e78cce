import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sharedData, temporaryDirectory, writeFiles } from '../engine-fixture.js';
import { sevenChecks } from './seven-checks.js';

const shared = sharedData();

t.test(
  'seven black-box checks on eight books',
  { skip: shared === null && 'no ../shared/data', timeout: 1_200_000 },
  async (t) => {
    const folder = temporaryDirectory(t);
    const books = join(shared!, 'text/pg');
    // Decoded for the references; the books are ASCII and UTF-8.
    const documents = Object.fromEntries(readdirSync(books).map((name) => [name, readFileSync(join(books, name), 'utf8')]));
    writeFiles(folder, documents);
    await sevenChecks(t, { folder, documents, pauseMs: 1000 });
  },
);
