/**
 * native/shuffle, as bindings/shuffle.cpp exports it, in the same order.
 *
 * Everything here is synchronous and meant for a task thread. Records cross as packed records (contracts/record.ts) with flags in the
 * high bits; `RecordBatch` and `readGroups` of core/addon/records.ts write and read them.
 */
export interface ShuffleAddon {
  /** What a map emits, gathered by key before it is sorted. */
  readonly MapFold: new (
    options: MapFoldOptions,
  ) => MapFold;
  /** The map side: sort buffer, spills, one segment file. */
  readonly MapWriter: new (
    options: MapWriterOptions,
  ) => MapWriter;
  /** The reduce side: segments merged into groups. */
  readonly MergeReader: new (
    options: MergeReaderOptions,
  ) => MergeReader;
  /** The reducer of a key: a stable hash of it (of its first `groupPrefix` bytes; 0: all) scaled to 0 … partitions − 1. */
  partitionOf(key: Uint8Array, partitions: number, groupPrefix: number): number;
  /**
   * The index of a segment file, by partition.
   * @throws ERR_DAF_BAD_DATA when the file is none, or was cut off; ERR_DAF_IO.
   */
  readSegmentIndex(path: string): SegmentInfo[];
  /**
   * Reads every block of every segment, for a worker that registers outputs of an earlier life.
   * @throws ERR_DAF_BAD_DATA naming file and block; ERR_DAF_IO.
   */
  verifySegments(path: string): SegmentInfo[];
  /**
   * Lines of a chunk without their `\n` or `\r\n`: pairs (offset, length) into `out`.
   * @param final true: a last line without newline counts.
   * @returns how many lines, and where in the chunk the next call (or the next chunk) goes on. Stops when `out` is full.
   */
  splitLines(chunk: Uint8Array, final: boolean, out: Uint32Array): { readonly lines: number; readonly consumed: number };
  /**
   * Packed records as bytes `[key separator] value [newline]` into `out`. Stops before a record that does not fit.
   * @returns bytes of the batch consumed, bytes written, records written and the CRC-32C continued over the bytes.
   * @throws ERR_DAF_BAD_DATA
   */
  formatRecords(
    batch: Uint8Array,
    format: RecordFormat,
    out: Uint8Array,
    crc: number,
  ): { readonly consumed: number; readonly written: number; readonly records: number; readonly crc: number };
  /**
   * Spans (pairs of offset, length) of a block as packed records into `out`: the first `keyBytes` of each are the key (0: all of them), the
   * rest the value. Stops when `out` is full.
   */
  packSpans(
    data: Uint8Array,
    spans: Uint32Array,
    keyBytes: number,
    out: Uint8Array,
  ): { readonly records: number; readonly written: number };
  /** Range partitioning for total order. */
  readonly CutPoints: new (
    packed: Uint8Array,
  ) => CutPoints;
}

export interface RecordFormat {
  readonly keys: boolean;
  readonly separator: Uint8Array;
  readonly newline: boolean;
}

/**
 * Cut points as packed records in ascending order: a key, and a value that begins with its place: uint32 split and uint64 position, little
 * endian. The place breaks ties, so that records of one key may span partitions.
 */
export interface CutPoints {
  readonly size: number;
  /**
   * How many cut points stand at or before each record of a batch: its partition.
   * @param at the position of each record in its split
   * @throws ERR_DAF_BAD_ARGUMENT when there are more or fewer positions than records
   */
  partition(batch: Uint8Array, split: number, at: Float64Array, out: Uint32Array): void;
}

export interface MapFoldOptions {
  /** Memory to gather in, 64 KB … 32 MB. When records come out depends on this and on what goes in alone. */
  readonly bytes: number;
  /** Where records are written, ≥ 4 KB; a group that does not fit into half of it comes in parts, each a group of its own. */
  readonly out: Uint8Array;
}

/**
 * Takes bytes `[0, groups)` of `out`, whole groups of flagged records, and then bytes `[out.length / 2, + singles)`, packed records of keys that
 * have one value, which no combiner makes fewer. They are gone when it returns.
 */
export type TakeFolded = (groups: number, singles: number) => void;

/** Values of a key come out in the order in which they went in. */
export interface MapFold {
  /**
   * Takes packed records up to the first with a key above 1 KB, a value above 254 bytes or one in pieces; none any more from where more than a few
   * in a hundred were of that kind.
   * @returns bytes taken
   * @throws ERR_DAF_BAD_DATA, ERR_DAF_MEMORY_LIMIT, what `take` throws
   */
  add(batch: Uint8Array, take: TakeFolded): number;
  /** Bytes of the records behind what the last add took: all of their keys came out before, and they are the caller's to write. 0: none. */
  readonly passed: number;
  /** Takes out all that is held. Throws what `take` throws. */
  handOn(take: TakeFolded): void;
  /** Gives the memory back. Also runs when collected. */
  dispose(): void;
}

export interface MapWriterOptions {
  /** Of the segment file to write. Spills lie beside it (`<path>.run0`, `<path>.side`) until finish or dispose. */
  readonly path: string;
  /** 1 … 65536. */
  readonly partitions: number;
  /** Bytes of the sort buffer, 64 KB … 2 GB, index included. Spill points depend on this alone. */
  readonly bufferBytes: number;
  /** True: append stops at a full buffer and the caller combines; see {@link MapWriter.beginCombine}. */
  readonly combine: boolean;
  /** True: append gets a partition for every record instead of hashing the key. */
  readonly customPartitions: boolean;
  /** Keys that agree in this many first bytes are one group (secondary sort); 0: whole keys. */
  readonly groupPrefix: number;
  /** Runs merged, and files open, at a time: 2 … 512. Each costs 128 KB. 32 is a good value. */
  readonly fanIn: number;
  /** Polled while sorting and merging. Null: cannot be cancelled. */
  readonly control: Int32Array | null;
}

/**
 * ```
 * for each batch: while (batch left) { n = w.append(batch); if (n < batch.length) { combine(false) } }
 * combine(true); w.finish()
 * combine(last): while (w.beginCombine(last)) { while ((n = w.nextGroups(buf)) > 0) w.writeCombined(reduce(buf, n)); w.endCombine(); if (!last) break }
 * ```
 * Without `combine` append takes everything and only finish is left to call.
 */
export interface MapWriter {
  /**
   * Takes packed records; they are copied. A value may come in pieces over several calls.
   * @param partitions one per record of the batch with `customPartitions`, else null.
   * @returns bytes taken: all of them, unless a combiner has to empty the buffer first.
   * @throws ERR_DAF_BAD_DATA, ERR_DAF_BAD_ARGUMENT, ERR_DAF_IO, ERR_DAF_MEMORY_LIMIT, ERR_DAF_CANCELLED
   */
  append(batch: Uint8Array, partitions: Uint32Array | null): number;
  /** Records that the last append took: where its partitions go on. */
  readonly appendedRecords: number;
  /**
   * Begins to empty the buffer (`last: false`), or the next pass of finishing (`last: true`; there may be two: the buffer, then the
   * merge of all spills). False: nothing to combine (any more).
   */
  beginCombine(last: boolean): boolean;
  /** Fills `buffer` with flagged records of the pass, never across partitions. 0: the pass is over. `buffer` ≥ 1.1 MB. */
  nextGroups(buffer: Uint8Array): number;
  /** The combined records of the groups handed out so far, before nextGroups is called again. Same keys, same order. */
  writeCombined(batch: Uint8Array): void;
  endCombine(): void;
  /** Writes the segment file. Its bytes depend on the records alone. */
  finish(): MapWriterResult;
  /** Records appended so far. */
  readonly recordsIn: number;
  /** Gives the memory back and, without finish, removes every file. Also runs when collected. */
  dispose(): void;
}

export interface MapWriterResult {
  readonly bytes: number;
  readonly records: number;
  readonly spills: number;
  /** By partition; the file itself carries them too. */
  readonly segments: readonly SegmentInfo[];
}

/** Where a partition lies in a segment file. */
export interface SegmentInfo {
  readonly offset: number;
  /** 0 for an empty partition. */
  readonly bytes: number;
  readonly records: number;
  /** CRC-32C of the bytes. */
  readonly crc: number;
}

export interface MergeReaderOptions {
  /** Segments in the order of their map tasks. */
  readonly sources: readonly MergeSource[];
  /** Prefix of intermediate files; needed only with more sources than fanIn. */
  readonly temp: string;
  /** Segments merged, and files open, at a time: 2 … 512. Each costs 128 KB. */
  readonly fanIn: number;
  /** As in {@link MapWriterOptions}. */
  readonly groupPrefix: number;
  readonly control: Int32Array | null;
}

/** A partition of a whole segment file, or (partition null) a bare segment at `offset`, as fetched from another host. */
export type MergeSource =
  | { readonly path: string; readonly partition: number }
  | { readonly path: string; readonly partition: null; readonly offset: number; readonly bytes: number };

export interface MergeReader {
  /**
   * Opens the sources and merges down to fanIn. Apart from the constructor, so that failedSource can be asked.
   * @throws ERR_DAF_BAD_DATA naming file and block; ERR_DAF_IO, ERR_DAF_MEMORY_LIMIT, ERR_DAF_CANCELLED
   */
  open(): void;
  /** Fills `buffer` (≥ 1.1 MB) with flagged records in order. 0: the end. Errors as open. */
  next(buffer: Uint8Array): number;
  /** Index of the source that the last error came from, or −1: its map task has to run again. */
  readonly failedSource: number;
  /** Records handed out so far. */
  readonly records: number;
  readonly groups: number;
  /** Closes files, removes intermediate ones, gives the memory back. Also runs when collected. */
  dispose(): void;
}
