import { DafError } from '../../core/contracts/errors.js';
import type { WorkerSecrets } from './ssh.js';

const MAX_BYTES = 64 << 10;

/**
 * What a launcher tells over standard input. When that ends, so does the launcher or the connection to it.
 * @param onGone called once then
 * @throws DafError ERR_DAF_PROTOCOL for anything else than its line of JSON
 */
export async function toldSecrets(input: NodeJS.ReadableStream, onGone: () => void): Promise<WorkerSecrets> {
  const line = await firstLine(input);
  input.on('end', onGone);
  input.on('error', onGone);
  input.resume();
  try {
    const { token, keys, serverKey } = JSON.parse(line) as WorkerSecrets;
    const text = (value: unknown): boolean => value === null || typeof value === 'string';
    const pair = keys === null || (typeof keys.publicKey === 'string' && typeof keys.secretKey === 'string');
    if (text(token) && text(serverKey) && pair) return { token, keys, serverKey };
  } catch {
    // Said below, without what was read.
  }
  throw new DafError('ERR_DAF_PROTOCOL', 'standard input does not begin with what a launcher tells', {
    hint: '--stdin is for daf launch; without it a worker takes --key, --server-key and DAF_TOKEN',
  });
}

function firstLine(input: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const stop = (why: string): void => reject(new DafError('ERR_DAF_PROTOCOL', why));
    const onEnd = (): void => stop('standard input ended before a launcher told anything');
    const onData = (chunk: Buffer | string): void => {
      got = Buffer.concat([got, Buffer.from(chunk)]);
      const at = got.indexOf(10);
      if (at < 0 && got.length <= MAX_BYTES) return;
      input.off('data', onData);
      input.off('end', onEnd);
      input.pause();
      if (at < 0) stop('the first line of standard input is too long');
      else resolve(got.toString('utf8', 0, at));
    };
    input.on('data', onData);
    input.on('end', onEnd);
  });
}
