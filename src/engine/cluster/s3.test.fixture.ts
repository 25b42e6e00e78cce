import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';
import { sampleText } from '../../testing/engine-fixture.js';
import { S3Server } from '../../testing/s3-server.js';
import { openBlobStore } from '../stores/open-blob.js';

/** A server that this process, and what it starts, knows from the environment; texts lie in its bucket `books`. `results` is empty. */
export async function startS3(t: Test): Promise<readonly string[]> {
  const server = await S3Server.start(t, ['books', 'results']);
  Object.assign(process.env, server.env);
  const texts = [sampleText(900, 1), sampleText(300, 2), sampleText(40, 3)];
  const books = openBlobStore('s3://books');
  await books.put('shelf/a.txt', Buffer.from(texts[0]!));
  await books.put('shelf/more/b.txt', Buffer.from(texts[1]!));
  await books.put('shelf/c.txt.gz', gzipSync(texts[2]!));
  await books.put('shelf/ignored.md', Buffer.from('not a word of this'));
  return texts;
}
