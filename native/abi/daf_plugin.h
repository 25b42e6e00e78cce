/* The contract between DAF and a native plugin. C99 and C++17; nothing else of DAF is needed to
 * build one:
 *
 *   cc -O2 -shared -fPIC -I native/abi my_plugin.c -o my_plugin.so
 *
 * A plugin exports DafPluginGetInfo and MapMain, ReduceMain unless it is map-only, and, when it has
 * them, CombineMain and PartitionMain. plugins/wordcount/wordcount.c is the one to read first.
 *
 * Rules
 *   The host reads DafPluginGetInfo before it calls anything else, and refuses another ABI number.
 *   Structures only ever grow at their end: compare `size` before using a member that is newer than
 * your header. Pointers that a context hands out are borrowed. Unless said otherwise they live
 * until the function they were given to returns. Nothing is freed across the border, and no
 * exception may cross it. One context belongs to one thread. Several threads of a process may be
 * inside a plugin at once, so it keeps no changing globals. It is never unloaded while a thread may
 * be inside it. Strings end with a NUL that their length does not count; keys and values may hold
 * any bytes. By default a plugin runs in a process of its own: a crash costs one attempt of a task.
 */
#ifndef DAF_PLUGIN_H
#define DAF_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <string_view>
extern "C" {
#endif

#define DAF_ABI 1u

#if defined(__GNUC__)
#define DAF_EXPORT __attribute__((visibility("default")))
#else
#define DAF_EXPORT
#endif

/* What MapMain gets as its input. */
#define DAF_INPUT_BLOCKS \
  1u /* several whole records at once: lines with their newlines, fixed-size records end to end */
#define DAF_INPUT_RECORDS \
  2u /* one record: a line without its newline, a fixed-size record, an item */
#define DAF_INPUT_FILES 3u /* one whole file */

/* Bits of DafPluginInfo.flags. */
#define DAF_LARGE_VALUES \
  1u /* ReduceMain reads values above 8 MB in parts; without it such a value fails the task */

typedef struct DafPluginInfo {
  uint32_t abi;        /* DAF_ABI */
  uint32_t size;       /* sizeof(DafPluginInfo) */
  const char* name;    /* [A-Za-z0-9._-], up to 64 characters */
  const char* version; /* for people */
  uint32_t input;      /* DAF_INPUT_… */
  uint32_t flags;      /* DAF_… bits, or 0 */
} DafPluginInfo;

typedef enum DafLogLevel {
  DAF_LOG_DEBUG = 0,
  DAF_LOG_INFO = 1,
  DAF_LOG_WARN = 2,
  DAF_LOG_ERROR = 3
} DafLogLevel;

typedef struct MapContext MapContext;
typedef struct ReduceContext ReduceContext;

struct MapContext {
  uint32_t abi;      /* DAF_ABI of the host */
  uint32_t size;     /* sizeof(MapContext) of the host */
  void* host;        /* the host's own; do not touch */
  const char* input; /* borrowed; not NUL-terminated */
  size_t input_size;
  const char* key; /* of the input record; empty for lines, blocks and fixed-size records */
  size_t key_size;
  const char* name; /* of the document: its path as the user typed it; NUL-terminated */
  size_t name_size;
  uint64_t offset;     /* of the input in its document, bytes */
  uint32_t task;       /* index of the map task */
  uint32_t partitions; /* number of reducers; 0 for a map-only job */

  /* Everything below: [this context's thread, while MapMain runs]. */

  /* Hands a record to the shuffle; key (at most 1 MB) and value are copied. False: stop and return
   * false. */
  bool (*emit_fn)(MapContext* context, const void* key, size_t key_size, const void* value,
                  size_t value_size);
  /* A value in parts, for values above 8 MB: the same key with every part, `more` false with the
   * last. */
  bool (*emit_part_fn)(MapContext* context, const void* key, size_t key_size, const void* part,
                       size_t part_size, bool more);
  /* At least `size` bytes, 64-byte aligned, until MapMain returns; NULL when the budget refuses. */
  void* (*scratch_fn)(MapContext* context, size_t size);
  /* True once the task was cancelled: return false soon. */
  bool (*cancelled_fn)(MapContext* context);
  /* Says why MapMain is about to return false; always returns false. */
  bool (*fail_fn)(MapContext* context, const char* message);
  void (*log_fn)(MapContext* context, DafLogLevel level, const char* message);
  /* Adds to a counter of the job; those of failed attempts do not count. A task fails whose sum
   * goes beyond 2^53 - 1 either way, or of a name that is above 256 characters. */
  void (*counter_fn)(MapContext* context, const char* name, int64_t amount);
  /* A parameter of the job (--param name=value) or NULL; NUL-terminated, lives as long as the
   * plugin. */
  const char* (*param_fn)(MapContext* context, const char* name);

#ifdef __cplusplus
  bool emit(std::string_view record_key, std::string_view value) {
    return emit_fn(this, record_key.data(), record_key.size(), value.data(), value.size());
  }
  bool fail(const char* message) { return fail_fn(this, message); }
  std::string_view text() const { return {input, input_size}; }
#endif
};

struct ReduceContext {
  uint32_t abi;
  uint32_t size;
  void* host;
  size_t key_size; /* of the key that ReduceMain got, which is the group's first */
  /* Set by next: the value (borrowed until the next call of next or next_part) and the whole key it
   * came with. */
  const char* value;
  size_t value_size;
  const char* value_key;
  size_t value_key_size;
  bool value_more; /* the value is above 8 MB and goes on: next_part (only with DAF_LARGE_VALUES) */
  uint32_t task;   /* index of the reduce task; of the map task inside CombineMain */
  uint32_t partition; /* the same as task in ReduceMain; unused in CombineMain */

  /* Everything below: [this context's thread, while ReduceMain or CombineMain runs]. */

  /* The next value of the group, in (map task, emission) order; false at its end or on failure. */
  bool (*next_fn)(ReduceContext* context);
  /* The next part of a value above 8 MB; false when it is over. */
  bool (*next_part_fn)(ReduceContext* context);
  /* As in MapContext. CombineMain must emit the key of its group. */
  bool (*emit_fn)(ReduceContext* context, const void* key, size_t key_size, const void* value,
                  size_t value_size);
  bool (*emit_part_fn)(ReduceContext* context, const void* key, size_t key_size, const void* part,
                       size_t part_size, bool more);
  void* (*scratch_fn)(ReduceContext* context, size_t size);
  bool (*cancelled_fn)(ReduceContext* context);
  bool (*fail_fn)(ReduceContext* context, const char* message);
  void (*log_fn)(ReduceContext* context, DafLogLevel level, const char* message);
  void (*counter_fn)(ReduceContext* context, const char* name, int64_t amount);
  const char* (*param_fn)(ReduceContext* context, const char* name);

#ifdef __cplusplus
  bool next() { return next_fn(this); }
  bool emit(std::string_view key, std::string_view bytes) {
    return emit_fn(this, key.data(), key.size(), bytes.data(), bytes.size());
  }
  bool fail(const char* message) { return fail_fn(this, message); }
  std::string_view text() const { return {value, value_size}; }
#endif
};

/* [any thread] Read first; what it points to lives as long as the plugin. */
DAF_EXPORT const DafPluginInfo* DafPluginGetInfo(void);

/* [task thread] One input. True: done. False: the task fails, with what fail said. */
DAF_EXPORT bool MapMain(MapContext* context);

/* [task thread] One group. `key`: the group's first key, followed by a NUL that context->key_size
 * does not count. Values that are not read are skipped. */
DAF_EXPORT bool ReduceMain(const char* key, ReduceContext* context);

/* [task thread] Optional. Runs 0…n times on values of one key, two or more, also from inside an
 * emit of MapMain, and from inside an emit of CombineMain itself, with another context, where that
 * makes more than 64 KB of a key's values. ReduceMain must be right without it. */
DAF_EXPORT bool CombineMain(const char* key, ReduceContext* context);

/* [task thread] Optional, a pure function: the reducer of a key, 0 … partitions - 1. */
DAF_EXPORT uint32_t PartitionMain(const char* key, size_t key_size, uint32_t partitions);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* DAF_PLUGIN_H */
