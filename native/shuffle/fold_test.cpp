// Gathering by key: nothing is lost, a key's values keep their order, memory is used again.
#include "native/shuffle/fold.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "native/base/rng.h"
#include "native/shuffle/map_fold.h"

namespace daf {
namespace {

const uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
FoldKey KeyOf(const std::string& key) { return FoldKey::Of(Bytes(key), key.size(), false); }

TEST(FoldKey, IsTheSameWhetherMoreThanTheKeyMayBeReadOrNot) {
  for (size_t size = 0; size < 40; ++size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
    const std::string longer = text + std::string(32, '\xFF');
    const FoldKey alone = KeyOf(text), inside = FoldKey::Of(Bytes(longer), size, true);
    EXPECT_EQ(alone.hash, inside.hash) << size;
    EXPECT_EQ(alone.head[0], inside.head[0]) << size;
    EXPECT_EQ(alone.head[1], inside.head[1]) << size;
    const auto written = [](const FoldKey& key) {
      std::string out(key.size + FoldKey::kHead, '?');
      key.CopyTo(reinterpret_cast<uint8_t*>(&out[0]));
      return out;
    };
    EXPECT_EQ(written(inside).substr(0, size), text);
    EXPECT_TRUE(alone.Equals(Bytes(written(inside)))) << size;
    if (size == 0) continue;
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      std::string other = text;
      other[at] = '!';
      EXPECT_FALSE(alone.Equals(Bytes(written(KeyOf(other))))) << size << " " << at;
    }
  }
}

// The values of an entry, runs told apart: "value×times ".
std::string Shown(const FoldTable& table, const FoldTable::Entry& entry) {
  std::string out;
  for (size_t at = 0; at < entry.used;) {
    FoldTable::Run run;
    at += FoldTable::ReadRun(table.Values(entry) + at, &run);
    out += std::string(run.value, run.value + run.size) + "×" + std::to_string(run.times) + " ";
  }
  return out;
}

TEST(FoldTable, HoldsEqualValuesAsOneRun) {
  FoldTable table;
  ASSERT_TRUE(table.Init(FoldTable::kLeastBytes).ok());
  FoldTable::Entry* entry = table.FindOrAdd(KeyOf("key"));
  const auto add = [&](const std::string& value, uint32_t times) {
    while (!table.Add(entry, Bytes(value), value.size(), times)) ASSERT_TRUE(table.Grow(entry));
  };
  EXPECT_FALSE(table.HasSeveral(*entry));
  add("1", 1);
  EXPECT_FALSE(table.HasSeveral(*entry));
  add("1", 1);
  EXPECT_TRUE(table.HasSeveral(*entry));
  EXPECT_FALSE(table.HasRuns(*entry));
  add("1", 65533);
  add("1", 1);  // a run counts to 65535
  add("2", 1);
  add("12", 1);
  add("", 3);
  add("2", 1);
  EXPECT_TRUE(table.HasRuns(*entry));
  EXPECT_EQ(Shown(table, *entry), "1×65535 1×1 2×1 12×1 ×3 2×1 ");
}

TEST(FoldTable, KeepsValuesInOrderUntilItIsFull) {
  FoldTable table;
  ASSERT_EQ(table.Init(FoldTable::kMaxBytes + 1).code(), Code::kBadArgument);
  ASSERT_TRUE(table.Init(FoldTable::kLeastBytes).ok());
  for (int round = 0; round < 2; ++round) {
    int keys = 0;
    while (FoldTable::Entry* entry = table.FindOrAdd(KeyOf("key" + std::to_string(keys)))) {
      EXPECT_EQ(entry->used, 0);
      EXPECT_TRUE(table.Add(entry, Bytes("1"), 1));
      ++keys;
    }
    EXPECT_GT(keys, 500);
    int at = 0;
    for (FoldTable::Entry* entry = table.First(); entry != nullptr; entry = table.Next(*entry)) {
      EXPECT_STREQ(entry->key(), ("key" + std::to_string(at)).c_str());
      EXPECT_EQ(table.FindOrAdd(KeyOf(entry->key())), entry);
      EXPECT_EQ(Shown(table, *entry), "1×1 ");
      ++at;
    }
    EXPECT_EQ(at, keys);
    table.Clear();
  }
  FoldTable::Entry* entry = table.FindOrAdd(KeyOf(""));
  std::string all;
  for (int i = 0; entry->capacity < FoldTable::kMaxArea || entry->used < 3900; ++i) {
    const std::string value(static_cast<size_t>(i % 100), static_cast<char>('a' + i % 26));
    while (!table.Add(entry, Bytes(value), value.size())) ASSERT_TRUE(table.Grow(entry));
    all += value + "×1 ";
  }
  EXPECT_EQ(Shown(table, *entry), all);
  EXPECT_FALSE(table.Grow(entry));
}

// The i-th of many keys of 16 bytes that have one hash: the first word makes up for the second.
std::string Colliding(uint64_t i) {
  constexpr uint64_t kA = 0x9E3779B97F4A7C15ull, kB = 0xD6E8FEB86659FD93ull;
  uint64_t inverse = kA;
  for (int step = 0; step < 6; ++step) inverse *= 2 - kA * inverse;
  const uint64_t second = i * kB;
  const uint64_t first = (1 ^ (second << 31 | second >> 33)) * inverse - 16;
  std::string key(16, '\0');
  Store64(reinterpret_cast<uint8_t*>(&key[0]), first);
  Store64(reinterpret_cast<uint8_t*>(&key[8]), i);
  return key;
}

TEST(FoldTable, ComparesAKeyWithFewOthersThoughAllHaveOneHash) {
  ASSERT_EQ(KeyOf(Colliding(1)).hash, KeyOf(Colliding(2)).hash);
  FoldTable table;
  ASSERT_TRUE(table.Init(FoldTable::kMaxBytes).ok());
  for (uint64_t i = 0; i < FoldTable::kMostProbes; ++i)
    ASSERT_NE(table.FindOrAdd(KeyOf(Colliding(i))), nullptr) << i;
  const std::string more = Colliding(FoldTable::kMostProbes);
  EXPECT_EQ(table.FindOrAdd(KeyOf(more)), nullptr);
  EXPECT_EQ(table.Find(KeyOf(more)), nullptr);
  EXPECT_NE(table.Find(KeyOf(Colliding(FoldTable::kMostProbes - 1))), nullptr);
  EXPECT_NE(table.FindOrAdd(KeyOf("another")), nullptr);
  table.Clear();
  EXPECT_NE(table.FindOrAdd(KeyOf(more)), nullptr);
}

TEST(FoldBuckets, ReturnsWhatIsInThemInOrderAndTakesTheMemoryAgain) {
  FoldBuckets buckets;
  ASSERT_EQ(buckets.Init(FoldBuckets::kLeastBytes - 1).code(), Code::kBadArgument);
  EXPECT_FALSE(buckets.ready());
  ASSERT_TRUE(buckets.Init(FoldBuckets::kLeastBytes).ok());
  for (int round = 0; round < 2; ++round) {
    std::vector<std::vector<std::string>> expected(FoldBuckets::kCount);
    Rng rng(5);
    for (;;) {
      const size_t bucket = rng.Below(FoldBuckets::kCount);
      const std::string key(rng.Below(1025), 'k');
      const std::string values = std::to_string(expected[bucket].size());
      if (!buckets.Add(bucket, KeyOf(key), values.data(), values.size())) break;
      expected[bucket].push_back(key + values);
    }
    EXPECT_EQ(buckets.free_chunks(), 0u);
    for (size_t bucket = 0; bucket < FoldBuckets::kCount; ++bucket) {
      std::vector<std::string> found;
      EXPECT_TRUE(
          buckets.Drain(bucket, [&](const FoldKey& key, const uint8_t* values, size_t size) {
            found.push_back(std::string(key.bytes, key.bytes + key.size) +
                            std::string(values, values + size));
            return true;
          }));
      EXPECT_EQ(found, expected[bucket]);
      EXPECT_TRUE(buckets.Drain(bucket, [](auto...) { return false; }));  // is empty now
    }
    EXPECT_EQ(buckets.free_chunks(), buckets.chunks());
  }
}

void Pack(std::string* batch, const std::string& key, const std::string& value,
          uint32_t key_flags = 0, uint32_t value_flags = 0) {
  uint8_t head[kRecordHeader];
  Store32(head, static_cast<uint32_t>(key.size()) | key_flags);
  Store32(head + 4, static_cast<uint32_t>(value.size()) | value_flags);
  batch->append(head, head + kRecordHeader);
  *batch += key + value;
}

// What leaves a MapFold: the values of every key end to end.
class Taken {
 public:
  explicit Taken(size_t bytes, size_t out = 4096) : out_(out) {
    EXPECT_TRUE(fold_.Init(bytes, out_.data(), out_.size()).ok());
  }
  void Add(const std::string& batch) {
    for (size_t at = 0; at < batch.size();) {
      size_t taken = 0, pass = 0;
      ASSERT_TRUE(fold_.Add(Bytes(batch) + at, batch.size() - at, Sink(), &taken, &pass).ok());
      at += taken;
      for (const size_t end = at + pass; at < end;) {
        Piece piece;
        ASSERT_TRUE(ParsePiece(Bytes(batch), end, &at, &piece).ok());
        if (!piece.continues) key_.assign(piece.key, piece.key + piece.key_size);
        values[key_].append(piece.value, piece.value + piece.value_size);
        ++passed;
      }
    }
  }
  void HandOn() { ASSERT_TRUE(fold_.HandOnAll(Sink()).ok()); }
  MapFold::Sink Sink() {
    return [this](size_t used, size_t alone) -> Status {
      bool open = false;
      std::string key;
      for (size_t at = 0; at < used;) {
        Piece piece;
        DAF_RETURN_IF_ERROR(ParsePiece(out_.data(), used, &at, &piece));
        EXPECT_NE(piece.first, open);
        if (piece.first) key.assign(piece.key, piece.key + piece.key_size);
        groups += piece.first;
        values[key].append(piece.value, piece.value + piece.value_size);
        open = !piece.last;
      }
      EXPECT_FALSE(open) << "groups are whole";
      const uint8_t* single = out_.data() + out_.size() / 2;
      for (size_t at = 0; at < alone; ++singles) {
        Piece piece;
        DAF_RETURN_IF_ERROR(ParsePiece(single, alone, &at, &piece));
        EXPECT_FALSE(piece.first || piece.last || piece.more || piece.continues);
        values[std::string(piece.key, piece.key + piece.key_size)].append(
            piece.value, piece.value + piece.value_size);
      }
      return refuse ? Status(Code::kIo, "no more") : Status::Ok();
    };
  }
  MapFold fold_;
  std::map<std::string, std::string> values;
  size_t groups = 0, singles = 0, passed = 0;
  bool refuse = false;

 private:
  std::vector<uint8_t> out_;
  std::string key_;
};

// Frequent and rare keys, values that differ and values that do not, records that no fold takes.
TEST(MapFold, KeepsTheOrderOfAKeysValues) {
  for (const size_t bytes : {size_t{64} << 10, size_t{6} << 20}) {
    Taken taken(bytes);
    std::map<std::string, std::string> expected;
    Rng rng(7);
    std::string batch;
    for (int i = 0; i < 400000; ++i) {
      const uint32_t n = rng.Below(2) == 0 ? rng.Below(40) : rng.Below(30000);
      const std::string key =
          std::to_string(n) + std::string(n % 67, static_cast<char>('a' + n % 5));
      const std::string value = rng.Below(4) != 0 ? "1" : std::to_string(rng.Below(1000));
      if (i % 9973 == 0) {
        Pack(&batch, key, std::string(300, 'b'));
        expected[key] += std::string(300, 'b');
      } else if (i % 9967 == 0) {
        Pack(&batch, key, "par", 0, kMore);
        Pack(&batch, "", "ts", kPiece);
        expected[key] += "parts";
      } else {
        Pack(&batch, key, value);
        expected[key] += value;
      }
      if (batch.size() < 60000) continue;
      taken.Add(batch);
      batch.clear();
    }
    taken.Add(batch);
    taken.HandOn();
    EXPECT_TRUE(taken.values == expected) << bytes;
    EXPECT_GT(taken.passed, 100u);
    EXPECT_GT(taken.singles, 1000u);
    const size_t before = taken.groups + taken.singles;
    taken.HandOn();
    EXPECT_EQ(taken.groups + taken.singles, before) << "nothing is held any more";
  }
}

TEST(MapFold, KeepsTheOrderOfValuesWhoseKeysHaveOneHash) {
  for (const size_t bytes : {size_t{64} << 10, size_t{6} << 20}) {
    Taken taken(bytes);
    std::map<std::string, std::string> expected;
    std::string batch;
    for (uint64_t i = 0; i < 20000; ++i) {
      const std::string key = Colliding(i * 7919 % 3001), value = std::to_string(i % 5);
      Pack(&batch, key, value);
      expected[key] += value;
      if (i % 100 == 50) {
        Pack(&batch, key, std::string(300, 'b'));
        expected[key] += std::string(300, 'b');
      }
    }
    taken.Add(batch);
    taken.HandOn();
    EXPECT_EQ(taken.values, expected);
    EXPECT_GT(taken.passed, 100u);
  }
}

TEST(MapFold, GathersAKeyOnceWhereItsValuesFit) {
  Taken taken(8u << 20, 4u << 20);
  std::string batch;
  for (int i = 0; i < 100000; ++i) Pack(&batch, "key" + std::to_string(i % 5000), "1");
  taken.Add(batch);
  EXPECT_EQ(taken.groups, 0u);
  taken.HandOn();
  EXPECT_EQ(taken.groups, 5000u);
  EXPECT_EQ(taken.values["key17"], std::string(20, '1'));
}

TEST(MapFold, HandsOnAKeysOnlyValueAsARecord) {
  Taken taken(8u << 20, 4u << 20);
  std::string batch;
  for (int i = 0; i < 3000; ++i) Pack(&batch, "key" + std::to_string(i % 2000), "1");
  taken.Add(batch);
  taken.HandOn();
  EXPECT_EQ(taken.groups, 1000u);
  EXPECT_EQ(taken.singles, 1000u);
}

TEST(MapFold, PassesRecordsOnTogetherAndStopsWhereTheyAreMany) {
  Taken taken(8u << 20);
  std::map<std::string, std::string> expected;
  const auto add = [&](std::string* batch, int key, const std::string& value) {
    Pack(batch, "key" + std::to_string(key), value);
    expected["key" + std::to_string(key)] += value;
  };
  std::string few;
  for (int i = 0; i < 60; ++i) add(&few, i % 30, std::string(255, static_cast<char>('a' + i / 30)));
  add(&few, 1, "end");
  size_t at = 0, pass = 0;
  ASSERT_TRUE(taken.fold_.Add(Bytes(few), few.size(), taken.Sink(), &at, &pass).ok());
  EXPECT_EQ(at, 0u);
  EXPECT_EQ(pass, few.size() - kRecordHeader - 7) << "in one piece, up to what folds";
  taken.Add(few);
  std::string many;
  for (int i = 0; i < 5000; ++i) {
    add(&many, i, "1");
    if (i % 2 == 0) add(&many, i, std::string(300, 'x'));
  }
  taken.Add(many);
  EXPECT_GT(taken.passed, 7300u) << "all from the first few on";
  const size_t before = taken.passed;
  taken.Add(few);
  EXPECT_EQ(taken.passed, before + 61);
  taken.HandOn();
  for (const auto& [key, value] : expected) {
    const bool twice = few.find(key + std::string(255, 'a')) != std::string::npos;
    ASSERT_EQ(taken.values[key].size(), value.size() + (twice ? 510 + 3 * (key == "key1") : 0))
        << key;
  }
}

TEST(MapFold, KeepsFoldingWhereFewRecordsPass) {
  Taken taken(8u << 20, 4u << 20);
  std::string batch;
  for (int i = 0; i < 100000; ++i)
    Pack(&batch, "key" + std::to_string(i % 100), i % 100 == 7 ? std::string(300, 'x') : "1");
  taken.Add(batch);
  EXPECT_EQ(taken.passed, 1000u);
  taken.HandOn();
  EXPECT_LT(taken.groups + taken.singles, 200u);
}

TEST(MapFold, StopsWhereItsSinkDoesAndRefusesDamage) {
  Taken taken(64u << 10);
  std::string batch;
  for (int i = 0; i < 20000; ++i) Pack(&batch, "key" + std::to_string(i), "value");
  taken.refuse = true;
  size_t at = 0, pass = 0;
  EXPECT_EQ(taken.fold_.Add(Bytes(batch), batch.size(), taken.Sink(), &at, &pass).code(),
            Code::kIo);
  EXPECT_EQ(taken.fold_.Add(Bytes(batch), 9, taken.Sink(), &at, &pass).code(), Code::kBadData);
  MapFold small;
  uint8_t out[64];
  EXPECT_EQ(small.Init(64u << 10, out, sizeof(out)).code(), Code::kBadArgument);
}

}  // namespace
}  // namespace daf
