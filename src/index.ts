export type { Counters, TaskFiles } from './core/contracts/context.js';
export type { Bytes, JobDefinition, MapArgument, Params, StepCode, StepDefinition } from './core/contracts/definition.js';
export { DafError, type DafErrorCode } from './core/contracts/errors.js';
export type { InputFormat, JobStatus, OutputFormat, StageProgress } from './core/contracts/job.js';
export type { Manifest, ManifestOutput } from './core/contracts/manifest.js';
export type { JobEvent, WorkerStatus } from './core/contracts/messages.js';
export type {
  Emit,
  FinalizeContext,
  GroupStream,
  MapRecord,
  RecordBlock,
  RecordSink,
  TaskContext,
} from './core/contracts/stage.js';
export type { RefusedInput } from './core/contracts/task.js';
export { Cluster, type ConnectOptions } from './engine/cluster/cluster.js';
export type { Job } from './engine/cluster/job-handle.js';
export type { MemoryItem } from './engine/cluster/memory-input.js';
export type { LocalOptions, SubmitOptions } from './engine/cluster/options.js';
export type { JobResult } from './engine/cluster/result.js';
export { defineJob, isMain } from './engine/jobs/define.js';
export type {
  FieldBox,
  FieldCamera,
  FieldOptions,
  LensDistortion,
  RefinedPose,
  Scene,
  SceneFrame,
  SceneImage,
  SceneOptions,
  SceneSplit,
  TrainProgress,
  TrainResult,
  TrainSceneOptions,
} from './fields/index.js';
export { Field, openScene, trainScene } from './fields/index.js';
