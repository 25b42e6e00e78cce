// The part of ioredis that is used, so that its own types, which are no match for exactOptionalPropertyTypes, need not be.
declare module 'ioredis' {
  export interface RedisOptions {
    readonly host: string;
    readonly port: number;
    readonly db: number;
    readonly username?: string;
    readonly password?: string;
    readonly tls?: { readonly servername: string };
    readonly lazyConnect: boolean;
    readonly connectionName: string;
    readonly enableOfflineQueue: boolean;
    readonly autoResendUnfulfilledCommands: boolean;
    readonly maxRetriesPerRequest: number;
    readonly replyMapping: 'legacy' | 'resp3';
    /** Milliseconds, as all times here. */
    readonly connectTimeout: number;
    readonly commandTimeout: number;
    readonly socketTimeout: number;
    retryStrategy(times: number): number;
    reconnectOnError(error: Error): boolean;
  }

  export class Redis {
    constructor(options: RedisOptions);
    connect(): Promise<void>;
    disconnect(): void;
    on(event: 'error', listener: (error: Error) => void): this;
    once(event: 'ready', listener: () => void): this;
    defineCommand(name: string, definition: { readonly lua: string; readonly numberOfKeys?: number }): void;
    info(): Promise<string>;
    config(what: 'GET', name: string): Promise<unknown>;
    hget(key: string, field: string): Promise<string | null>;
    zcard(key: string): Promise<number>;
    wait(replicas: number, milliseconds: number): Promise<number>;
  }
}
