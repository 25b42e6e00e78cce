import { Redis, type RedisOptions } from 'ioredis';
import { DafError } from '../../../core/contracts/errors.js';
import type { RedisPlace } from './place.js';
import { SCRIPTS, type ScriptName } from './scripts.js';

const OPEN_MS = 10_000;
const COMMAND_MS = 15_000;
const REPLICAS_MS = 2000;

type Argument = string | number | Buffer;
/** What ioredis makes of a script: a method that answers in Buffers. */
type Scripted = Record<`${ScriptName}Buffer`, (...args: Argument[]) => Promise<unknown[]>>;

/** One connection that comes back by itself. Nothing is queued while it is down and nothing is sent twice: the caller decides. */
export class RedisConnection {
  readonly redis: Redis;
  readonly place: RedisPlace;
  #waiting: Promise<void> | null = null;

  private constructor(redis: Redis, place: RedisPlace) {
    this.redis = redis;
    this.place = place;
  }

  /** @throws DafError ERR_DAF_UNREACHABLE when it does not answer within ten seconds, ERR_DAF_PERMISSION */
  static async open(place: RedisPlace): Promise<RedisConnection> {
    const redis = new Redis(clientOptions(place));
    for (const [name, { lua, keys }] of Object.entries(SCRIPTS)) {
      redis.defineCommand(name, keys === null ? { lua } : { lua, numberOfKeys: keys });
    }
    const connection = new RedisConnection(redis, place);
    try {
      await connection.#ready();
    } catch (error) {
      redis.disconnect();
      throw error;
    }
    return connection;
  }

  /** @throws DafError ERR_DAF_IO (retryable) or ERR_DAF_PERMISSION */
  async script(name: ScriptName, args: readonly Argument[]): Promise<unknown[]> {
    try {
      return await (this.redis as unknown as Scripted)[`${name}Buffer`](...args);
    } catch (error) {
      throw this.#error(error);
    }
  }

  /** Resolves once the replicas that the place asks for have all that was answered before. Calls of one tick share a question. */
  replicated(): Promise<void> {
    if (this.place.replicas === 0) return Promise.resolve();
    this.#waiting ??= Promise.resolve().then(() => {
      this.#waiting = null;
      return this.#waitForReplicas();
    });
    return this.#waiting;
  }

  async close(): Promise<void> {
    this.redis.disconnect();
  }

  async #waitForReplicas(): Promise<void> {
    const { replicas, shown } = this.place;
    let have: number;
    try {
      have = await this.redis.wait(replicas, REPLICAS_MS);
    } catch (error) {
      throw this.#error(error);
    }
    if (have >= replicas) return;
    throw new DafError('ERR_DAF_IO', `${shown}: written, but only ${have} of ${replicas} replicas have it`, {
      hint: 'are the replicas connected and quick enough?',
      retryable: true,
    });
  }

  #ready(): Promise<void> {
    const { redis, place } = this;
    return new Promise((resolve, reject) => {
      let last = 'no answer';
      const timer = setTimeout(() => {
        fail(new DafError('ERR_DAF_UNREACHABLE', `${place.shown}: ${last}`, { hint: 'is the server running?', retryable: true }));
      }, OPEN_MS);
      const fail = (error: DafError): void => {
        clearTimeout(timer);
        reject(error);
      };
      // For as long as the connection lives: without a listener a lost connection would be printed or thrown.
      redis.on('error', (error: Error) => {
        last = error.message;
        if (isRefusal(last)) fail(this.#error(error));
      });
      redis.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
      redis.connect().catch(() => {}); // told by the events, which also see the later tries
    });
  }

  /** Without the client's own error as cause: it carries the command's arguments, and AUTH has the password there. */
  #error(error: unknown): DafError {
    const message = `${this.place.shown}: ${error instanceof Error ? error.message : String(error)}`;
    if (isRefusal(message)) {
      return new DafError('ERR_DAF_PERMISSION', message, { hint: 'user and password stand in the URL, best given by DAF_STATE' });
    }
    return new DafError('ERR_DAF_IO', message, { hint: 'is the server up, and the primary?', retryable: true });
  }
}

function clientOptions(place: RedisPlace): RedisOptions {
  return {
    host: place.host,
    port: place.port,
    db: place.db,
    ...(place.username === null ? {} : { username: place.username }),
    ...(place.password === null ? {} : { password: place.password }),
    ...(place.tls ? { tls: { servername: place.host } } : {}),
    lazyConnect: true,
    connectionName: 'daf-coordinator',
    // A command that was not answered may have run: whoever sent it asks what stands.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    replyMapping: 'legacy',
    connectTimeout: 5000,
    commandTimeout: COMMAND_MS,
    socketTimeout: 2 * COMMAND_MS,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), 1000),
    // After a failover the old address may have become a replica, and its name point elsewhere.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

function isRefusal(message: string): boolean {
  return /\b(NOAUTH|WRONGPASS|NOPERM)\b|invalid username-password|invalid password/i.test(message);
}
