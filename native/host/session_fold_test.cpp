// What a map emits, folded by the plugin's combiner: nothing is lost, nothing changes its order.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "native/base/rng.h"
#include "native/host/session.h"

namespace daf {
namespace {

// MapMain emits a record for every line "key value"; a value "big" stands for 300 bytes, more than
// a table takes, "parts" for a value in two parts.
bool MapPairs(MapContext* context) {
  std::string_view text(context->input, context->input_size);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    const std::string_view key = line.substr(0, line.find(' '));
    const std::string_view value = line.substr(key.size() + 1);
    if (value == "parts") {
      if (!context->emit_part_fn(context, key.data(), key.size(), "pa", 2, true) ||
          !context->emit_part_fn(context, key.data(), key.size(), "rts", 3, false))
        return false;
      continue;
    }
    const std::string big = value == "big" ? std::string(300, 'b') : std::string(value);
    if (!context->emit_fn(context, key.data(), key.size(), big.data(), big.size())) return false;
  }
  return true;
}

// Joins values in their order, into values of at most 200 bytes.
bool Join(const char* key, ReduceContext* context) {
  std::string all;
  while (context->next_fn(context)) {
    const std::string value(context->value, context->value_size);
    if (all.size() + value.size() > 200) {
      if (!context->emit_fn(context, key, context->key_size, all.data(), all.size())) return false;
      all.clear();
    }
    all += value;
  }
  return context->emit_fn(context, key, context->key_size, all.data(), all.size());
}

bool Sum(const char* key, ReduceContext* context) {
  int sum = 0;
  while (context->next_fn(context))
    sum += std::stoi(std::string(context->value, context->value_size));
  const std::string text = std::to_string(sum);
  return context->emit_fn(context, key, context->key_size, text.data(), text.size());
}

// Reads a number and moves what it was given, as the contract allows.
bool SumInPlace(const char* key, ReduceContext* context) {
  int sum = 0;
  while (context->next_fn(context)) {
    int number = 0;
    for (; context->value_size != 0; ++context->value, --context->value_size)
      number = 10 * number + (*context->value - '0');
    sum += number;
  }
  const std::string text = std::to_string(sum);
  return context->emit_fn(context, key, context->key_size, text.data(), text.size());
}

struct Emitted {
  std::map<std::string, std::string> joined;  // the values of a key end to end
  std::map<std::string, int> records;
};

class Collect final : public PluginPort {
 public:
  explicit Collect(Emitted* out) : out_(out) {}
  Status Flush(const PluginOutput& output) override {
    for (size_t at = 0; at < output.size;) {
      Piece piece;
      DAF_RETURN_IF_ERROR(ParsePiece(output.bytes, output.size, &at, &piece));
      if (!piece.continues) {
        key_.assign(piece.key, piece.key + piece.key_size);
        ++out_->records[key_];
      }
      out_->joined[key_].append(piece.value, piece.value + piece.value_size);
    }
    return Status::Ok();
  }
  Status More(const PluginOutput&, size_t* size) override {
    *size = 0;
    return Status::Ok();
  }
  bool Cancelled() override { return false; }
  void Log(int, const char*) override {}

 private:
  Emitted* out_;
  std::string key_;
};

struct Pairs {
  std::vector<std::string> blocks;
  std::map<std::string, std::string> joined;
  std::map<std::string, int> sums;
};

// Some keys are frequent, most are rare, lengths differ.
Pairs MakePairs(size_t count, uint32_t distinct, bool odd) {
  Pairs out;
  Rng rng(3);
  std::string block;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t n = rng.Below(2) == 0 ? rng.Below(50) : rng.Below(distinct);
    const std::string key = std::to_string(n) + std::string(n % 97, static_cast<char>('a' + n % 5));
    std::string value = std::to_string(1 + rng.Below(9));
    out.sums[key] += std::stoi(value);
    if (odd && i % 997 == 0) value = "big";
    if (odd && i % 1999 == 0) value = "parts";
    out.joined[key] += value == "big" ? std::string(300, 'b') : value;
    block += key + " " + value + "\n";
    if (block.size() > 900u << 10) {
      out.blocks.push_back(block);
      block.clear();
    }
  }
  out.blocks.push_back(block);
  return out;
}

Status MapAll(const Pairs& pairs, bool (*combine)(const char*, ReduceContext*), uint64_t fold_bytes,
              Emitted* out) {
  std::vector<uint8_t> input(1u << 20), output(1u << 20);
  std::vector<uint32_t> partitions(1u << 16);
  Plugin plugin;
  plugin.name = "pairs";
  plugin.input = DAF_INPUT_BLOCKS;
  plugin.map = MapPairs;
  plugin.combine = combine;
  PluginSession session(plugin, {},
                        {input.data(), input.size(), output.data(), output.size(),
                         partitions.data(), partitions.size()});
  Collect port(out);
  PluginCall call;
  call.partitions = 1;
  call.fold_bytes = fold_bytes;
  uint64_t records = 0;
  for (size_t i = 0; i < pairs.blocks.size(); ++i) {
    std::copy(pairs.blocks[i].begin(), pairs.blocks[i].end(), input.begin());
    call.input_bytes = pairs.blocks[i].size();
    call.begin = i == 0;
    DAF_RETURN_IF_ERROR(session.Run(call, &port, &records));
  }
  call.work = PluginWork::kMapEnd;
  call.begin = false;
  return session.Run(call, &port, &records);
}

constexpr uint64_t kOneTable = 64u << 10, kBuckets = 6u << 20;

TEST(Fold, KeepsTheOrderOfAKeysValues) {
  const Pairs pairs = MakePairs(140000, 20000, true);
  for (const uint64_t bytes : {uint64_t{0}, kOneTable, kBuckets}) {
    Emitted emitted;
    const Status status = MapAll(pairs, Join, bytes, &emitted);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(emitted.joined == pairs.joined) << bytes;
  }
}

TEST(Fold, GivesEveryEqualValueAnew) {
  Pairs pairs;
  pairs.blocks.push_back("k 9100\nk 9100\nk 9100\nk 9100\nk 9100\nk 97\n");
  for (const uint64_t bytes : {kOneTable, kBuckets}) {
    Emitted emitted;
    const Status status = MapAll(pairs, SumInPlace, bytes, &emitted);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(emitted.joined["k"], "45597");
  }
}

// Passes every value on, but shorter ones twice.
bool KeepAll(const char* key, ReduceContext* context) {
  while (context->next_fn(context)) {
    for (size_t i = 0; i < (context->value_size < 9 ? 2u : 1u); ++i) {
      if (!context->emit_fn(context, key, context->key_size, context->value, context->value_size))
        return false;
    }
  }
  return true;
}

TEST(Fold, HandsOnWhatACombinerDoesNotMakeFewer) {
  Pairs pairs;
  std::string block;
  for (int i = 0; i < 60000; ++i) block += "k 7\n";  // one run, twice as many as the area takes
  pairs.blocks.push_back(block);
  Emitted emitted;
  ASSERT_TRUE(MapAll(pairs, KeepAll, kOneTable, &emitted).ok());
  EXPECT_EQ(emitted.joined["k"].find_first_not_of('7'), std::string::npos);
  EXPECT_GE(emitted.joined["k"].size(), 120000u);
}

TEST(Fold, StopsWhereTooMuchIsNotForIt) {
  Pairs pairs;
  std::string block, expected[3];
  for (int i = 0; i < 30000; ++i) {
    const bool big = i % 5 == 0;
    const std::string key(1, static_cast<char>('a' + i % 3));
    const std::string value = std::to_string(i);
    block += key + " " + (big ? "big" : value) + "\n";
    expected[i % 3] += big ? std::string(300, 'b') : value;
  }
  pairs.blocks = {block, block};
  for (const uint64_t bytes : {kOneTable, kBuckets}) {
    Emitted emitted;
    ASSERT_TRUE(MapAll(pairs, Join, bytes, &emitted).ok());
    for (int i = 0; i < 3; ++i) {
      const std::string key(1, static_cast<char>('a' + i));
      EXPECT_TRUE(emitted.joined[key] == expected[i] + expected[i]) << key;
      EXPECT_GT(emitted.records[key], 19000) << "and they are not joined any more";
    }
  }
}

TEST(Fold, HandsAKeyOnOnceWhereItsSumsFit) {
  // More than the buckets take, and their sums are a fraction of that.
  const Pairs pairs = MakePairs(180000, 20000, false);
  Emitted emitted;
  const Status status = MapAll(pairs, Sum, kBuckets, &emitted);
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(emitted.joined.size(), pairs.sums.size());
  for (const auto& [key, sum] : pairs.sums) {
    ASSERT_EQ(emitted.joined[key], std::to_string(sum)) << key;
    ASSERT_EQ(emitted.records[key], 1) << key;
  }
}

}  // namespace
}  // namespace daf
