import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DafError } from '../../../core/contracts/errors.js';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

/** Where the buckets of this process are, and who asks. */
export interface S3Settings {
  /** `https://host[:port]`, without the bucket; null for Amazon's own. */
  readonly endpoint: string | null;
  readonly region: string;
  /** The bucket in the path instead of the host's name. */
  readonly pathStyle: boolean;
  readonly credentials: Credentials;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings by the usual names: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION,
 * AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL; what they do not say, the profile AWS_PROFILE (else `default`) of ~/.aws/credentials and
 * ~/.aws/config (or AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE) does. DAF_S3_PATH_STYLE is 1 or 0; without it endpoints of one's own
 * have the bucket in the path.
 * @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_PERMISSION without credentials
 */
export function s3Settings(env: Environment = process.env): S3Settings {
  const profile = readProfile(env);
  const endpoint = env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || profile.get('endpoint_url') || null;
  if (endpoint !== null && !/^https?:\/\/[^/?#]+\/?$/.test(endpoint)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `the S3 endpoint ${endpoint} is not of the form https://host[:port]`);
  }
  const style = env['DAF_S3_PATH_STYLE'];
  if (style !== undefined && style !== '0' && style !== '1') {
    throw new DafError('ERR_DAF_BAD_OPTION', `DAF_S3_PATH_STYLE=${style}: expected 0 or 1`);
  }
  return {
    endpoint: endpoint?.replace(/\/$/, '') ?? null,
    region: env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || profile.get('region') || 'us-east-1',
    pathStyle: style === undefined ? endpoint !== null : style === '1',
    credentials: credentials(env, profile),
  };
}

/** Base URL of a bucket, without a slash at its end. */
export function bucketUrl({ endpoint, region, pathStyle }: S3Settings, bucket: string): string {
  const base = endpoint ?? `https://s3.${region}.amazonaws.com`;
  // A dot in a bucket's name is one label too many for the certificate of virtual hosts.
  if (pathStyle || bucket.includes('.')) return `${base}/${bucket}`;
  return base.replace('://', `://${bucket}.`);
}

/** How others come by keys: variables, and settings of a profile. */
const ROLES = [
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'role_arn',
  'credential_process',
  'sso_session',
  'sso_start_url',
];

function credentials(env: Environment, profile: ReadonlyMap<string, string>): Credentials {
  const [id, secret] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  if (id && secret) return { accessKeyId: id, secretAccessKey: secret, sessionToken: env['AWS_SESSION_TOKEN'] || null };
  const [storedId, storedSecret] = [profile.get('aws_access_key_id'), profile.get('aws_secret_access_key')];
  if (storedId && storedSecret) {
    return { accessKeyId: storedId, secretAccessKey: storedSecret, sessionToken: profile.get('aws_session_token') || null };
  }
  const role = ROLES.find((each) => env[each] || profile.has(each));
  throw new DafError(
    'ERR_DAF_PERMISSION',
    role === undefined ? 'no credentials for S3' : `no keys for S3: ${role} is not supported`,
    {
      hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials, for client, coordinator and workers',
    },
  );
}

function readProfile(env: Environment): Map<string, string> {
  const name = env['AWS_PROFILE'] || 'default';
  const folder = join(env['HOME'] ?? homedir(), '.aws');
  const found = new Map<string, string>();
  const files = [
    [env['AWS_CONFIG_FILE'] || join(folder, 'config'), name === 'default' ? 'default' : `profile ${name}`],
    [env['AWS_SHARED_CREDENTIALS_FILE'] || join(folder, 'credentials'), name],
  ] as const;
  for (const [file, section] of files) {
    for (const [key, value] of iniSection(readIfThere(file), section)) found.set(key, value);
  }
  return found;
}

function* iniSection(text: string, wanted: string): Generator<[string, string]> {
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) section = header.replace(/\s+/g, ' ');
    // Indented lines belong to a nested setting.
    const setting = /^([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (setting !== null && section === wanted) yield [setting[1]!.toLowerCase(), setting[2]!];
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
