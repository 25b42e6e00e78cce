/** What a cluster of this machine is started with, complete and checked; null: to be found out. Defaults: LocalOptions of cluster/options.ts. */
export interface LaunchOptions {
  /** Worker processes. */
  readonly workers: number | null;
  readonly cores: number;
  /** Task threads of each worker. */
  readonly threads: number;
  /** Budget of each worker, bytes. */
  readonly memory: number;
  /** False: less may do where a cgroup allows less. */
  readonly memoryGiven: boolean;
  readonly dataDir: string | null;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** Added to the environment of every process. */
  readonly env: Readonly<Record<string, string>>;
}
