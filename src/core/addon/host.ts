/** native/host, as bindings/host.cpp exports it, in the same order. Synchronous: for task threads, and for a short look at a plugin's info. */
export interface HostAddon {
  /** A loaded native plugin, in a daf-host child or (trusted) in this process. */
  readonly PluginHost: new (
    options: PluginHostOptions,
  ) => PluginHost;
  /** The daf-host processes that all threads of this process have now: their memory is part of its budget. */
  pluginPids(): number[];
}

export interface PluginHostOptions {
  /** Path of daf-host; empty for a trusted plugin, which runs in this process. */
  readonly host: string;
  /** Path of the shared object. */
  readonly plugin: string;
  readonly params: Readonly<Record<string, string>>;
  /** The longest block that map takes, 1.1 MB … 2 GB. Shared memory of this size (and 3.6 MB) counts against the budget. */
  readonly inputBytes: number;
  /** What the child may allocate for itself; 0: no limit. */
  readonly memoryBytes: number;
  /** Longest silence of the child before it is killed, ms; 0: none. */
  readonly timeoutMs: number;
}

/** Constructing loads the plugin. @throws ERR_DAF_PLUGIN when the file is no plugin of this ABI; ERR_DAF_IO, ERR_DAF_MEMORY_LIMIT. */
export interface PluginHost {
  readonly info: PluginInfo;
  /**
   * MapMain over a block. A combine through {@link groups} may run from within `emit`.
   * @returns input records.
   * @throws ERR_DAF_PLUGIN (what it said, or how it crashed), ERR_DAF_CANCELLED, whatever a callback threw. A child is dead after any
   * of them: dispose, and make another host.
   */
  map(call: PluginMapCall): number;
  /** Hands on what the maps since the last `begin` have folded, through `emit` as map does. Errors as map. */
  endMap(call: PluginEndCall): void;
  /** ReduceMain or CombineMain over all groups that `fill` gives. Errors as map. */
  groups(call: PluginGroupsCall): number;
  /** Counters of finished calls since they were last taken. Names that are no UTF-8 may come out alike. */
  takeCounters(): [name: string, amount: number][];
  /** Kills the child. Also runs when collected. */
  dispose(): void;
}

export interface PluginInfo {
  readonly name: string;
  readonly version: string;
  /** What MapMain wants at once: several whole records, one record, one whole file. */
  readonly input: 'blocks' | 'records' | 'files';
  readonly hasReduce: boolean;
  readonly hasCombine: boolean;
  readonly hasPartition: boolean;
}

/** Arrays and callbacks of a call. */
export interface PluginCall {
  readonly task: number;
  /** Emitted records are copied here before `emit` is called; ≥ 2 MB. */
  readonly out: Uint8Array;
  /** Reducers of the emitted records where the plugin partitions; ≥ 65,536 long. */
  readonly partitions: Uint32Array;
  /** `bytes` of `out` hold packed records; `partitioned` of them have a reducer in `partitions` (all or none). */
  emit(bytes: number, partitioned: number): void;
  /** @param level 0 debug … 3 error. */
  log(level: number, message: string): void;
  readonly control: Int32Array | null;
}

export interface PluginMapCall extends PluginCall {
  readonly source: string;
  /** Of data[0] in the source. */
  readonly offset: number;
  /** How data is cut into records. `packed`: packed records, in whole. */
  readonly cut: 'lines' | 'fixed' | 'files' | 'packed';
  /** With `fixed`; else 0. */
  readonly recordBytes: number;
  readonly data: Uint8Array;
  /** 0 for a map-only job. */
  readonly reducers: number;
  /**
   * Memory in which a plugin with CombineMain folds what it emits, ≥ 64 KB, the same in every call to a host: until {@link PluginHost.endMap}
   * little or nothing is handed on. 0: nothing is folded.
   */
  readonly foldBytes: number;
  /** The first block of a task: what an earlier task left is forgotten. */
  readonly begin: boolean;
}

export interface PluginEndCall extends PluginCall {
  readonly reducers: number;
  readonly foldBytes: number;
}

export interface PluginGroupsCall extends PluginCall {
  readonly combine: boolean;
  /** `fill` writes flagged records here (as MergeReader.next does) and returns their bytes; 0 at the end. ≤ 1.25 MB for a combine. */
  readonly in: Uint8Array;
  fill(): number;
}
