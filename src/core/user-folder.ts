import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * Where DAF keeps what a user added to it: DAF_HOME, else `daf` in the data folder of the XDG base directories, else
 * `~/.local/share/daf`. Null where the environment names no home at all.
 */
export function userFolder(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  const own = env['DAF_HOME'];
  if (own) return resolve(own);
  const data = env['XDG_DATA_HOME'];
  // The specification has relative paths ignored.
  if (data && isAbsolute(data)) return join(data, 'daf');
  const home = env['HOME'] || (env === process.env ? homedir() : '');
  return home ? join(home, '.local', 'share', 'daf') : null;
}
