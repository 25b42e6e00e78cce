import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curveKeyPair } from 'zeromq';
import { DafError } from '../../core/contracts/errors.js';

/** A CURVE key pair; each key 40 characters of Z85. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

const KEY = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/;

/**
 * Makes a pair and writes `<name>.key` (secret, mode 0600) and `<name>.pub`; existing ones are never overwritten.
 * @returns the paths
 * @throws DafError ERR_DAF_CONFLICT, ERR_DAF_IO, ERR_DAF_PERMISSION
 */
export function writeKeyPair(directory: string, name: string): { readonly secret: string; readonly shared: string } {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name}: a key’s name has 1 to 64 letters, digits, dots, dashes`);
  }
  const [secret, shared] = [join(directory, `${name}.key`), join(directory, `${name}.pub`)];
  const { publicKey, secretKey } = curveKeyPair();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const text = `# DAF: whoever has this file is ${name}. Keep it to one machine.\nsecret ${secretKey}\npublic ${publicKey}\n`;
    writeFileSync(secret, text, { mode: 0o600, flag: 'wx' });
    chmodSync(secret, 0o600); // the umask may have taken more
    writeFileSync(shared, `${publicKey} ${name}\n`, { mode: 0o644, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw DafError.from(error, 'ERR_DAF_IO');
    throw new DafError('ERR_DAF_CONFLICT', `${secret} or ${shared} is there already`, { hint: 'choose another name' });
  }
  return { secret, shared };
}

/**
 * Reads a `.key` file.
 * @throws DafError ERR_DAF_PERMISSION when others may read it; ERR_DAF_BAD_OPTION when it is none; ERR_DAF_NOT_FOUND
 */
export function readKeyPair(path: string): KeyPair {
  const text = read(path);
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new DafError('ERR_DAF_PERMISSION', `${path}: others may read this secret key`, { hint: `chmod 600 ${path}` });
  }
  const field = (name: string): string | undefined => new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  const [publicKey = '', secretKey = ''] = [field('public'), field('secret')];
  if (!KEY.test(publicKey) || !KEY.test(secretKey)) throw noKey(path, 'a .key file');
  return { publicKey, secretKey };
}

/** A public key as typed, or from a `.pub` file. @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_NOT_FOUND */
export function readPublicKey(keyOrPath: string): string {
  if (KEY.test(keyOrPath) && !existsSync(keyOrPath)) return keyOrPath;
  const [key] = publicKeys(read(keyOrPath));
  if (key === undefined) throw noKey(keyOrPath, 'a .pub file');
  return key;
}

/**
 * The public keys that may connect: lines of a file (a key, then anything), or the `.pub` files of a directory. Looked at again for every
 * handshake, so that a key can be added or taken away while the process runs.
 */
export class AllowList {
  readonly #path: string | null;
  readonly #also: ReadonlySet<string>;

  /** @param also allowed whatever the list says @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_BAD_OPTION for an empty list */
  constructor(path: string | null, also: readonly string[] = []) {
    this.#path = path;
    this.#also = new Set(also);
    if (this.#keys().length === 0 && also.length === 0) {
      throw new DafError('ERR_DAF_BAD_OPTION', `${path} allows nobody`, { hint: 'put .pub files there, or their lines' });
    }
  }

  /** A list that cannot be read allows nobody. */
  allows(publicKey: string): boolean {
    if (this.#also.has(publicKey)) return true;
    try {
      return this.#keys().includes(publicKey);
    } catch {
      return false;
    }
  }

  #keys(): string[] {
    const path = this.#path;
    if (path === null) return [];
    if (!existsSync(path) || !statSync(path).isDirectory()) return publicKeys(read(path));
    const files = readdirSync(path).filter((name) => name.endsWith('.pub'));
    return files.flatMap((name) => publicKeys(read(join(path, name))));
  }
}

/** 32 bytes as 40 characters (ZeroMQ's RFC 32). */
export function z85(bytes: Uint8Array): string {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
  let text = '';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = view.getUint32(at);
    for (let power = 85 ** 4; power >= 1; power /= 85) text += alphabet[Math.floor(word / power) % 85];
  }
  return text;
}

function publicKeys(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/)[0]!)
    .filter((word) => KEY.test(word));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
}

function noKey(path: string, expected: string): DafError {
  return new DafError('ERR_DAF_BAD_OPTION', `${path} holds no key`, { hint: `expected ${expected}, as daf keys new writes it` });
}
