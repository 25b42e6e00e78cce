/** native/base, as bindings/core.cpp exports it. */
export interface CoreAddon {
  /** The instruction set in use, those this machine supports, and the CPU features found. */
  cpuInfo(): CpuInfo;
  /** Continues a CRC-32C (0 to begin) over bytes. */
  crc32c(crc: number, bytes: Uint8Array): number;
  /**
   * The first four bytes of the SHA-256 of a text in UTF-8, little endian. Node's own hash makes an object with a finalizer for each, which takes
   * many times what a short text does.
   */
  sha256Start(text: string): number;
  /** Limit in bytes of all native arenas of this process; 0 means none. */
  setMemoryLimit(bytes: number): void;
  /** Bytes that native arenas hold now, their high-water mark and limit. */
  memoryUse(): NativeMemoryUse;
  /** Lowers the high-water mark to what is in use now; returns what it was, bytes. */
  resetMemoryPeak(): number;
}

export interface CpuInfo {
  readonly isa: 'scalar' | 'neon' | 'avx2' | 'avx512';
  readonly supported: readonly string[];
  readonly features: readonly string[];
  /** In which inference runs with `isa`: fp32, and bf16 and int8 where the instructions are there. */
  readonly precisions: readonly string[];
}

export interface NativeMemoryUse {
  /** Bytes; 0: none. */
  readonly limit: number;
  readonly used: number;
  /** High-water mark of `used`. */
  readonly peak: number;
  /** Bytes that ended arenas left for the next ones; they count against the limit and are dropped before it refuses. */
  readonly kept: number;
  /** Blocks that arenas took from the system, not from what was kept. */
  readonly systemBlocks: number;
}
