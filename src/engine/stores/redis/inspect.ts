import { DafError } from '../../../core/contracts/errors.js';
import { RedisConnection } from './connection.js';
import { parseRedisUrl } from './place.js';
import { checkServer, type ServerFacts, serverFacts } from './server-check.js';

export interface RedisFinding {
  /** The address without user and password. */
  readonly shown: string;
  readonly facts: ServerFacts;
  /** 0 when no coordinator has worked on it. */
  readonly term: number;
  readonly jobs: number;
  /** Of one question and its answer. */
  readonly milliseconds: number;
  readonly warnings: readonly string[];
}

/**
 * Looks at a server as a coordinator would, and changes nothing.
 * @throws DafError as opening the state does
 */
export async function inspectRedis(url: string): Promise<RedisFinding> {
  const place = parseRedisUrl(url);
  const connection = await RedisConnection.open(place);
  try {
    const { redis } = connection;
    const facts = await serverFacts(redis);
    const warnings = checkServer(facts, place.shown, place.replicas);
    const begun = performance.now();
    const term = Number((await redis.hget(`{${place.prefix}}:head`, 'term')) ?? 0);
    const milliseconds = performance.now() - begun;
    const jobs = await redis.zcard(`{${place.prefix}}:jobs`);
    return { shown: place.shown, facts, term, jobs, milliseconds, warnings };
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  } finally {
    await connection.close();
  }
}
