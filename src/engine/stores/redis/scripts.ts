// One Lua script for each operation of the StateStore: the server runs it as one atomic step.
//
// Every script is given the head first (KEYS[1]) and what the caller knows (ARGV[1]: the highest sequence number it has seen, ARGV[2]:
// its term, or nothing for a read), and answers {verdict, sequence number, …}. A write raises the sequence number. A server that is
// behind what the caller has seen has lost acknowledged writes (a failover, a restored backup), and nothing is written to it.

const HEAD = `
local head = redis.call('HMGET', KEYS[1], 'seq', 'term')
local seq, term = tonumber(head[1] or '0'), tonumber(head[2] or '0')
if seq < tonumber(ARGV[1]) then return {'lost', seq} end
if ARGV[2] ~= '' and tonumber(ARGV[2]) ~= term then return {'fenced', seq, term} end
local function written(...) return {'ok', redis.call('HINCRBY', KEYS[1], 'seq', 1), ...} end
`;

/** A script's body, its number of keys (null: given with the call) and whether it writes. */
export interface ScriptSpec {
  readonly lua: string;
  readonly keys: number | null;
  readonly writes: boolean;
}

const read = (keys: number, body: string): ScriptSpec => ({ lua: HEAD + body, keys, writes: false });
const write = (keys: number | null, body: string): ScriptSpec => ({ lua: HEAD + body, keys, writes: true });

// A task is three fields of its job's hash, named by its place in task order: `…:g` its generation, `…:f` the attempts that failed
// and where (JSON), `…:c` its commit. Absent fields stand for 0, none, none. The sorted set `order` lists the tasks that have any.
const TASK = `
local function generation(tasks, at) return tonumber(redis.call('HGET', tasks, at .. ':g') or '0') end
local function isCommitted(tasks, at) return redis.call('HEXISTS', tasks, at .. ':c') == 1 end
`;

export const SCRIPTS = {
  /** ARGV[3] owner → the new term: larger than any before, and than any that a lost write may have begun. */
  beginTerm: write(
    1,
    `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local begun = math.max(term + 1, now)
redis.call('HSET', KEYS[1], 'term', string.format('%.0f', begun), 'owner', ARGV[3])
return written(begun)`,
  ),

  /** → the term */
  currentTerm: read(1, `return {'ok', seq, term}`),

  /** KEYS jobs, job; ARGV[3] id, [4] spec → 1 created, 0 exists */
  createJob: write(
    3,
    `
if redis.call('EXISTS', KEYS[3]) == 1 then return {'ok', seq, 0} end
redis.call('HSET', KEYS[3], 'spec', ARGV[4], 'phase', 'running')
redis.call('ZADD', KEYS[2], 0, ARGV[3])
return written(1)`,
  ),

  /** KEYS jobs → ids in order */
  listJobs: read(2, `return {'ok', seq, redis.call('ZRANGE', KEYS[2], '-', '+', 'BYLEX')}`),

  /** KEYS job → {spec, phase, error} */
  getJob: read(2, `return {'ok', seq, redis.call('HMGET', KEYS[2], 'spec', 'phase', 'error')}`),

  /** KEYS job; ARGV[3] from, [4] to, [5] error or nothing → 1 set */
  setPhase: write(
    2,
    `
if redis.call('HGET', KEYS[2], 'phase') ~= ARGV[3] then return {'ok', seq, 0} end
redis.call('HSET', KEYS[2], 'phase', ARGV[4])
if ARGV[5] == '' then redis.call('HDEL', KEYS[2], 'error') else redis.call('HSET', KEYS[2], 'error', ARGV[5]) end
return written(1)`,
  ),

  /** KEYS order, tasks; ARGV[3] lowest, [4] highest place (as ZRANGE BYLEX takes them), [5] at most → {place, g, f, c, …} */
  loadTasks: read(
    3,
    `
local rows = {}
for _, at in ipairs(redis.call('ZRANGE', KEYS[2], ARGV[3], ARGV[4], 'BYLEX', 'LIMIT', 0, ARGV[5])) do
  local row = redis.call('HMGET', KEYS[3], at .. ':g', at .. ':f', at .. ':c')
  local n = #rows
  rows[n + 1], rows[n + 2], rows[n + 3], rows[n + 4] = at, row[1] or '', row[2] or '', row[3] or ''
end
return {'ok', seq, rows}`,
  ),

  /** KEYS (job, order, tasks) of each job meant; ARGV for each commit: which job (from 0), place, generation, bytes → 1 committed, 0 discarded, each */
  commitTasks: write(
    null,
    `${TASK}
local verdicts, won = {}, false
for i = 3, #ARGV, 4 do
  local keys = 2 + 3 * tonumber(ARGV[i])
  local at, verdict = ARGV[i + 1], 0
  if redis.call('EXISTS', KEYS[keys]) == 1 then
    local order, tasks = KEYS[keys + 1], KEYS[keys + 2]
    if generation(tasks, at) == tonumber(ARGV[i + 2]) and not isCommitted(tasks, at) then
      redis.call('HSET', tasks, at .. ':c', ARGV[i + 3])
      redis.call('ZADD', order, 0, at)
      verdict, won = 1, true
    end
  end
  verdicts[#verdicts + 1] = verdict
end
if not won then return {'ok', seq, verdicts} end
return written(verdicts)`,
  ),

  /** KEYS tasks; ARGV[3] place, [4] generation → 1 reopened */
  reopenTask: write(
    2,
    `${TASK}
local at, old = ARGV[3], tonumber(ARGV[4])
if generation(KEYS[2], at) ~= old or not isCommitted(KEYS[2], at) then return {'ok', seq, 0} end
redis.call('HSET', KEYS[2], at .. ':g', string.format('%.0f', old + 1))
redis.call('HDEL', KEYS[2], at .. ':f', at .. ':c')
return written(1)`,
  ),

  /** KEYS tasks; ARGV[3] place, [4] generation, [5] the commit as it was read, [6] as it shall be → 1 replaced */
  replaceCommit: write(
    2,
    `${TASK}
local at = ARGV[3]
if generation(KEYS[2], at) ~= tonumber(ARGV[4]) or redis.call('HGET', KEYS[2], at .. ':c') ~= ARGV[5] then return {'ok', seq, 0} end
redis.call('HSET', KEYS[2], at .. ':c', ARGV[6])
return written(1)`,
  ),

  /** KEYS job, order, tasks; ARGV[3] place, [4] generation, [5] attempt, [6] worker → failures so far */
  countFailure: write(
    4,
    `${TASK}
if redis.call('EXISTS', KEYS[2]) == 0 then return {'ok', seq, 0} end
local at, stored = ARGV[3], redis.call('HGET', KEYS[4], ARGV[3] .. ':f')
local failures = stored and cjson.decode(stored) or {}
local isCounted = generation(KEYS[4], at) ~= tonumber(ARGV[4]) or isCommitted(KEYS[4], at)
for _, failure in ipairs(failures) do
  if failure[1] == ARGV[5] then isCounted = true end
end
if isCounted then return {'ok', seq, #failures} end
failures[#failures + 1] = {ARGV[5], ARGV[6]}
redis.call('HSET', KEYS[4], at .. ':f', cjson.encode(failures))
redis.call('ZADD', KEYS[3], 0, at)
return written(#failures)`,
  ),

  /** KEYS jobs, job, order, tasks; ARGV[3] id */
  deleteJob: write(
    5,
    `
redis.call('UNLINK', KEYS[3], KEYS[4], KEYS[5])
redis.call('ZREM', KEYS[2], ARGV[3])
return written()`,
  ),
} as const satisfies Readonly<Record<string, ScriptSpec>>;

export type ScriptName = keyof typeof SCRIPTS;
