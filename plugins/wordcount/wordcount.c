/* Word count: a word is a run of ASCII letters. The plugin to read first. */
#include "daf_plugin.h"

const DafPluginInfo* DafPluginGetInfo(void) {
  static const DafPluginInfo info = {DAF_ABI, sizeof(DafPluginInfo), "wordcount",
                                     "1.0",   DAF_INPUT_BLOCKS,      0};
  return &info;
}

static bool is_letter(char c) { return (unsigned char)((c | 0x20) - 'a') < 26; }

bool MapMain(MapContext* context) {
  const char* at = context->input;
  const char* end = at + context->input_size;
  while (at < end) {
    const char* word = at;
    while (at < end && is_letter(*at)) ++at;
    if (at > word && !context->emit_fn(context, word, (size_t)(at - word), "1", 1)) return false;
    while (at < end && !is_letter(*at)) ++at;
  }
  return true;
}

/* Decimal text; false when it is none or too large. */
static bool add_count(uint64_t* sum, const char* digits, size_t size) {
  uint64_t value = 0;
  size_t i;
  if (size == 0 || size > 18) return false;
  for (i = 0; i < size; ++i) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    value = value * 10 + (uint64_t)(digits[i] - '0');
  }
  *sum += value;
  return true;
}

/* The sum of a group's counts, whoever counted them: map, or a combine before. */
static bool sum_counts(const char* key, ReduceContext* context) {
  char text[20];
  char* at = text + sizeof(text);
  uint64_t sum = 0;
  while (context->next_fn(context)) {
    if (!add_count(&sum, context->value, context->value_size)) {
      return context->fail_fn(context, "a count is not a decimal number");
    }
  }
  do {
    *--at = (char)('0' + sum % 10);
    sum /= 10;
  } while (sum != 0);
  return context->emit_fn(context, key, context->key_size, at, (size_t)(text + sizeof(text) - at));
}

bool CombineMain(const char* key, ReduceContext* context) { return sum_counts(key, context); }

bool ReduceMain(const char* key, ReduceContext* context) { return sum_counts(key, context); }
