import { readFileSync } from 'node:fs';
import { DafError } from '../core/contracts/errors.js';

/** Containers are given secrets as files: DAF_TOKEN_FILE and DAF_STATE_FILE name what DAF_TOKEN and DAF_STATE would hold. */
const FROM_FILES = ['DAF_TOKEN', 'DAF_STATE'];

/** Puts them into this environment, unless they are there. @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION, ERR_DAF_BAD_OPTION */
export function readSecretFiles(env: NodeJS.ProcessEnv): void {
  for (const name of FROM_FILES) {
    const file = env[`${name}_FILE`];
    if (!file || env[name] !== undefined) continue;
    let text: string;
    try {
      text = readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw DafError.from(error, 'ERR_DAF_IO');
    }
    if (text === '') throw new DafError('ERR_DAF_BAD_OPTION', `${name}_FILE=${file}: it is empty`);
    env[name] = text;
  }
}
