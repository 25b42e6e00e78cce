// What the tests of this folder share: temporary folders, packed batches, whole reads, a reference
// sort.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "native/base/rng.h"
#include "native/shuffle/map_writer.h"
#include "native/shuffle/merge_reader.h"

namespace daf::testing {

struct Record {
  std::string key, value;
  bool operator==(const Record& other) const { return key == other.key && value == other.value; }
};

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "daf-shuffle-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::string path_;
};

inline void Pack(const Record& record, std::vector<uint8_t>* out) {
  const size_t at = out->size();
  out->resize(at + kRecordHeader + record.key.size() + record.value.size());
  Store32(out->data() + at, static_cast<uint32_t>(record.key.size()));
  Store32(out->data() + at + 4, static_cast<uint32_t>(record.value.size()));
  std::copy(record.key.begin(), record.key.end(),
            out->begin() + static_cast<std::ptrdiff_t>(at + kRecordHeader));
  std::copy(record.value.begin(), record.value.end(),
            out->begin() + static_cast<std::ptrdiff_t>(at + kRecordHeader + record.key.size()));
}

inline std::vector<uint8_t> PackAll(const std::vector<Record>& records) {
  std::vector<uint8_t> out;
  for (const Record& record : records) Pack(record, &out);
  return out;
}

inline std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

#define ASSERT_OK(expr)                                                                       \
  do {                                                                                        \
    const ::daf::Status ok_status = (expr);                                                   \
    ASSERT_TRUE(ok_status.ok()) << CodeName(ok_status.code()) << ": " << ok_status.message(); \
  } while (0)

// Writes one map output from batches of about `batch` records.
inline Status WriteMap(const MapWriterOptions& options, const std::vector<Record>& records,
                       MapOutput* out, size_t batch = 1000) {
  MapWriter writer;
  DAF_RETURN_IF_ERROR(writer.Init(options, {}));
  for (size_t i = 0; i < records.size(); i += batch) {
    std::vector<uint8_t> packed;
    for (size_t k = i; k < std::min(records.size(), i + batch); ++k) Pack(records[k], &packed);
    size_t consumed = 0, taken = 0;
    DAF_RETURN_IF_ERROR(writer.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken));
    if (consumed != packed.size()) return Status(Code::kInternal, "append left something over");
  }
  return writer.Finish(out);
}

struct Group {
  std::vector<Record> records;
};

// Everything a merge yields; checks that the group flags are properly nested.
inline Status ReadGroups(MergeReader* reader, std::vector<Group>* out,
                         size_t capacity = GroupPacker::kLeastCapacity) {
  std::vector<uint8_t> buffer(capacity);
  bool open = false, in_value = false;
  for (;;) {
    size_t used = 0;
    DAF_RETURN_IF_ERROR(reader->Next(buffer.data(), buffer.size(), &used));
    if (used == 0) break;
    for (size_t at = 0; at < used;) {
      Piece piece;
      DAF_RETURN_IF_ERROR(ParsePiece(buffer.data(), used, &at, &piece));
      const std::string value(reinterpret_cast<const char*>(piece.value), piece.value_size);
      if (piece.continues != in_value) return Status(Code::kInternal, "pieces out of order");
      if (piece.continues) {
        out->back().records.back().value += value;
      } else {
        if (piece.first == open)
          return Status(Code::kInternal, "a group begins inside a group, or a record outside");
        if (piece.first) out->emplace_back();
        open = true;
        out->back().records.push_back(
            {std::string(reinterpret_cast<const char*>(piece.key), piece.key_size), value});
      }
      in_value = piece.more;
      if (piece.last) open = false;
      if (piece.last && piece.more) return Status(Code::kInternal, "a group ends inside a value");
    }
  }
  return open ? Status(Code::kInternal, "a group has no end") : Status::Ok();
}

inline std::vector<Record> Flatten(const std::vector<Group>& groups) {
  std::vector<Record> out;
  for (const Group& group : groups)
    out.insert(out.end(), group.records.begin(), group.records.end());
  return out;
}

inline std::vector<Record> StableSorted(std::vector<Record> records) {
  std::stable_sort(records.begin(), records.end(), [](const Record& a, const Record& b) {
    return CompareKeys(reinterpret_cast<const uint8_t*>(a.key.data()), a.key.size(),
                       reinterpret_cast<const uint8_t*>(b.key.data()), b.key.size()) < 0;
  });
  return records;
}

// Keys that are awkward together: empty, zeros, shared prefixes around the eight-byte stretches,
// any bytes.
inline std::string AwkwardKey(Rng* rng) {
  static const char* const kStems[] = {
      "", "abcdefgh", "abcdefghabcdefgh",
      "the same long prefix of every key, longer than the radix sort goes, ..."};
  std::string key = kStems[rng->Below(4)];
  const uint32_t extra = rng->Below(10);
  for (uint32_t i = 0; i < extra; ++i) {
    const uint32_t kind = rng->Below(4);
    key += kind == 0   ? '\0'
           : kind == 1 ? '\n'
           : kind == 2 ? '\xff'
                       : static_cast<char>('a' + rng->Below(3));
  }
  return key;
}

}  // namespace daf::testing
