#include "native/shuffle/sort.h"

#include <algorithm>
#include <cstring>

#include "native/shuffle/record.h"

namespace daf {
namespace {

constexpr size_t kInsertion = 24;  // below this insertion sort beats another counting pass
constexpr uint32_t kRadixDepth =
    64;  // key bytes sorted by radix; longer common prefixes are compared

struct Key {
  const uint8_t* data;
  uint32_t size;
};

class Sorter {
 public:
  Sorter(const uint8_t* buffer, const TaskControl& control) : buffer_(buffer), control_(control) {}

  bool cancelled() const { return cancelled_; }

  // a[0..n) agree in the first `depth` key bytes and in the prefix bits above `shift` + 8. Passes
  // go back and forth between a and b; what is sorted ends in a when `home`, else in b.
  void Range(IndexEntry* a, IndexEntry* b, size_t n, int shift, uint32_t depth, bool home) {
    for (;;) {
      if (n <= kInsertion || shift < 0) {
        if (n <= kInsertion) {
          Insertion(a, n, depth);
        } else {
          EqualPrefix(a, b, n, depth);
        }
        if (!home) std::memcpy(b, a, n * sizeof(IndexEntry));
        return;
      }
      if (n > 100000 && control_.cancelled()) cancelled_ = true;
      if (cancelled_) return;
      uint32_t counts[256] = {};
      for (size_t i = 0; i < n; ++i) ++counts[(a[i].prefix >> shift) & 255];
      if (counts[(a[0].prefix >> shift) & 255] == n) {
        shift -= 8;
        continue;
      }
      uint32_t next[256];
      uint32_t sum = 0;
      for (int d = 0; d < 256; ++d) {
        next[d] = sum;
        sum += counts[d];
      }
      for (size_t i = 0; i < n; ++i) b[next[(a[i].prefix >> shift) & 255]++] = a[i];
      for (int d = 0; d < 256; ++d) {
        if (counts[d] == 0) continue;
        const size_t begin = next[d] - counts[d];
        if (counts[d] == 1) {
          if (home) a[begin] = b[begin];
        } else {
          Range(b + begin, a + begin, counts[d], shift - 8, depth, !home);
        }
      }
      return;
    }
  }

 private:
  Key KeyOf(const IndexEntry& e) const {
    return {buffer_ + e.offset + kRecordHeader, Load32(buffer_ + e.offset) & kKeyMask};
  }

  bool Less(const IndexEntry& a, const IndexEntry& b, uint32_t depth) const {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    // Keys that end inside the prefix differ in their length alone, and no other key equals them.
    if (a.key_size <= depth + 8 || b.key_size <= depth + 8) {
      return a.key_size != b.key_size ? a.key_size < b.key_size : a.offset < b.offset;
    }
    const Key x = KeyOf(a), y = KeyOf(b);
    const int order = CompareKeys(x.data + depth, x.size - depth, y.data + depth, y.size - depth);
    return order != 0 ? order < 0 : a.offset < b.offset;
  }

  void Insertion(IndexEntry* a, size_t n, uint32_t depth) {
    for (size_t i = 1; i < n; ++i) {
      const IndexEntry e = a[i];
      size_t j = i;
      for (; j != 0 && Less(e, a[j - 1], depth); --j) a[j] = a[j - 1];
      a[j] = e;
    }
  }

  // All eight prefix bytes agree. Keys that end inside them differ in length only and come first,
  // the shortest before the longer; the rest goes on with the next eight bytes.
  void EqualPrefix(IndexEntry* a, IndexEntry* tmp, size_t n, uint32_t depth) {
    if (depth >= kRadixDepth) return Compare(a, n, depth);
    size_t counts[10] = {};
    for (size_t i = 0; i < n; ++i) ++counts[Ending(a[i], depth)];
    const size_t longer = counts[9];
    if (longer != n) {
      size_t next[10];
      size_t sum = 0;
      for (int b = 0; b < 10; ++b) {
        next[b] = sum;
        sum += counts[b];
      }
      if (*std::max_element(counts, counts + 10) != n) {
        for (size_t i = 0; i < n; ++i) tmp[next[Ending(a[i], depth)]++] = a[i];
        std::memcpy(a, tmp, n * sizeof(IndexEntry));
      }
    }
    if (longer < 2) return;
    IndexEntry* rest = a + (n - longer);
    for (size_t i = 0; i < longer; ++i) {
      const Key k = KeyOf(rest[i]);
      rest[i].prefix = KeyPrefix(k.data + depth + 8, k.size - depth - 8);
    }
    Range(rest, tmp, longer, 56, depth + 8, true);
  }

  // Bytes of the key inside the current stretch of eight, or 9 when it goes beyond.
  size_t Ending(const IndexEntry& e, uint32_t depth) const {
    const uint32_t left = e.key_size - depth;
    return left > 8 ? 9 : left;
  }

  void Compare(IndexEntry* a, size_t n, uint32_t depth) {
    const Key first = KeyOf(a[0]);
    size_t same = 1;
    for (; same < n; ++same) {
      const Key k = KeyOf(a[same]);
      if (k.size != first.size ||
          std::memcmp(k.data + depth, first.data + depth, k.size - depth) != 0)
        break;
    }
    if (same == n) return;
    std::sort(a, a + n, [this, depth](const IndexEntry& x, const IndexEntry& y) {
      return Less(x, y, depth);
    });
  }

  const uint8_t* buffer_;
  const TaskControl& control_;
  bool cancelled_ = false;
};

}  // namespace

Status SortIndex(IndexEntry* entries, IndexEntry* scratch, size_t count, const uint8_t* buffer,
                 uint32_t partitions, const TaskControl& control, std::vector<size_t>* bounds) {
  bounds->assign(size_t{partitions} + 1, 0);
  for (size_t i = 0; i < count; ++i) ++(*bounds)[entries[i].partition + 1];
  for (size_t p = 0; p < partitions; ++p) (*bounds)[p + 1] += (*bounds)[p];
  if (partitions > 1) {
    std::vector<size_t> next(bounds->begin(), bounds->end() - 1);
    for (size_t i = 0; i < count; ++i) scratch[next[entries[i].partition]++] = entries[i];
    std::memcpy(entries, scratch, count * sizeof(IndexEntry));
  }
  Sorter sorter(buffer, control);
  for (size_t p = 0; p < partitions; ++p) {
    const size_t begin = (*bounds)[p], n = (*bounds)[p + 1] - begin;
    if (n > 1) sorter.Range(entries + begin, scratch + begin, n, 56, 0, true);
  }
  return sorter.cancelled() ? Status(Code::kCancelled, "the task was cancelled") : Status::Ok();
}

}  // namespace daf
