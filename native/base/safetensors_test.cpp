#include "native/base/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "native/base/rng.h"

namespace daf {
namespace {

std::vector<uint8_t> Pack(const std::string& header, size_t data_bytes) {
  std::vector<uint8_t> out(8 + header.size() + data_bytes);
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(header.size() >> (8 * i));
  std::memcpy(out.data() + 8, header.data(), header.size());
  return out;
}

Status ParseHeaderText(const std::string& header, size_t data_bytes) {
  const std::vector<uint8_t> bytes = Pack(header, data_bytes);
  SafetensorsFile file;
  return SafetensorsFile::Parse(bytes.data(), bytes.size(), &file);
}

std::vector<uint8_t> Sample() {
  static const float weights[6] = {1, -2, 3.5f, 0, 1e-8f, 9};
  static const uint32_t indices[2] = {7, 4000000000u};
  static const uint8_t bytes[3] = {1, 2, 255};
  SafetensorsWriter writer;
  writer.Metadata("type", "hashgrid");
  writer.Metadata("quote\"\n", "ü\\");
  EXPECT_TRUE(writer.Add("w", DType::kF32, {2, 3}, weights).ok());
  EXPECT_TRUE(writer.Add("i", DType::kU32, {2}, indices).ok());
  EXPECT_TRUE(writer.Add("b", DType::kU8, {3}, bytes).ok());
  EXPECT_TRUE(writer.Add("empty", DType::kF16, {0, 4}, nullptr).ok());
  EXPECT_EQ(writer.Add("w", DType::kU8, {3}, bytes).code(), Code::kBadArgument);
  std::vector<uint8_t> out;
  EXPECT_TRUE(writer.Serialize(&out).ok());
  return out;
}

TEST(Safetensors, RoundTrip) {
  const std::vector<uint8_t> bytes = Sample();
  SafetensorsFile file;
  const Status parsed = SafetensorsFile::Parse(bytes.data(), bytes.size(), &file);
  ASSERT_TRUE(parsed.ok()) << parsed.message();
  EXPECT_EQ(file.metadata().at("type"), "hashgrid");
  EXPECT_EQ(file.metadata().at("quote\"\n"), "ü\\");
  std::vector<float> w;
  ASSERT_TRUE(file.Floats("w", {SafetensorsFile::kAny, 3}, &w).ok());
  EXPECT_EQ(w, (std::vector<float>{1, -2, 3.5f, 0, 1e-8f, 9}));
  std::vector<uint32_t> i;
  ASSERT_TRUE(file.Uint32s("i", {2}, &i).ok());
  EXPECT_EQ(i, (std::vector<uint32_t>{7, 4000000000u}));
  std::vector<uint8_t> b;
  ASSERT_TRUE(file.Bytes("b", {3}, &b).ok());
  EXPECT_EQ(b[2], 255);
  EXPECT_EQ(file.Find("empty")->bytes, 0u);
  const Status missing = file.Floats("nope", {1}, &w);
  EXPECT_EQ(missing.code(), Code::kBadData);
  EXPECT_NE(missing.message().find("nope"), std::string::npos);
  EXPECT_EQ(file.Floats("w", {3, 2}, &w).code(), Code::kBadData);
  EXPECT_EQ(file.Floats("i", {2}, &w).code(), Code::kBadData);
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::vector<uint8_t> bytes = Sample();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<uint8_t> cut(
        bytes.begin(),
        bytes.begin() + static_cast<long>(size));  // so that a sanitizer sees an overrun
    SafetensorsFile file;
    EXPECT_EQ(SafetensorsFile::Parse(cut.data(), cut.size(), &file).code(), Code::kBadData) << size;
  }
}

TEST(Safetensors, SurvivesRandomDamage) {
  const std::vector<uint8_t> bytes = Sample();
  Rng rng(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> damaged = bytes;
    for (uint32_t n = 1 + rng.Below(4); n > 0; --n)
      damaged[rng.Below(400) % damaged.size()] = static_cast<uint8_t>(rng.Next());
    SafetensorsFile file;
    if (!SafetensorsFile::Parse(damaged.data(), damaged.size(), &file).ok()) continue;
    for (const Tensor& tensor : file.tensors()) {
      ASSERT_GE(tensor.data, damaged.data());
      ASSERT_LE(tensor.data + tensor.bytes, damaged.data() + damaged.size());
    }
  }
}

TEST(Safetensors, RefusesLies) {
  const auto refused = [](const std::string& header, size_t data) {
    return ParseHeaderText(header, data).code() == Code::kBadData;
  };
  EXPECT_TRUE(ParseHeaderText(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8).ok());
  EXPECT_TRUE(refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4));  // outside
  EXPECT_TRUE(
      refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 12));  // bytes after
  EXPECT_TRUE(
      refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8));  // backwards
  EXPECT_TRUE(refused(R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", 8));  // type
  EXPECT_TRUE(
      refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})",
              0));  // count overflows
  EXPECT_TRUE(refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})",
                      0));  // bytes overflow
  EXPECT_TRUE(
      refused(R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})", 8));
  EXPECT_TRUE(refused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8));
  EXPECT_TRUE(
      refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}})", 8));
  EXPECT_TRUE(refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8));
  EXPECT_TRUE(refused(R"({"a":{"dtype":"F32","shape":[2]}})", 8));
  EXPECT_TRUE(refused(
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
      6));
  EXPECT_TRUE(refused(
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})",
      6));
  EXPECT_TRUE(refused(
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
      4));
  EXPECT_TRUE(refused(R"({"__metadata__":{"a":1}})", 0));
  EXPECT_TRUE(refused(R"({"__metadata__":{"a":"\ud800"}})", 0));
  EXPECT_TRUE(refused(R"([])", 0));
  EXPECT_TRUE(refused(std::string(2000, '{'), 0));
  const Status named =
      ParseHeaderText(R"({"mlp.w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8);
  EXPECT_NE(named.message().find("mlp.w"), std::string::npos);
  const uint8_t huge[8] = {255, 255, 255, 255, 255, 255, 255, 255};
  SafetensorsFile file;
  EXPECT_EQ(SafetensorsFile::Parse(huge, 8, &file).code(), Code::kBadData);
}

TEST(Safetensors, RefusesNonFiniteWeights) {
  for (const float poison :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const float weights[2] = {1, poison};
    SafetensorsWriter writer;
    ASSERT_TRUE(writer.Add("w", DType::kF32, {2}, weights).ok());
    std::vector<uint8_t> bytes;
    ASSERT_TRUE(writer.Serialize(&bytes).ok());
    SafetensorsFile file;
    ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
    std::vector<float> out;
    EXPECT_EQ(file.Floats("w", {2}, &out).code(), Code::kBadData);
  }
}

TEST(Safetensors, WritesAtomicallyAndReadsWithinABudget) {
  char folder[] = "/tmp/daf-safetensors-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/f.safetensors";
  const std::vector<float> weights(5000, 2.5f);
  SafetensorsWriter writer;
  ASSERT_TRUE(writer.Add("w", DType::kF32, {5000}, weights.data()).ok());
  ASSERT_TRUE(writer.Write(path).ok());
  ASSERT_TRUE(writer.Write(path).ok());  // replaces
  Budget budget(1 << 20), small(1000);
  {
    SafetensorsFile file;
    const Status read = SafetensorsFile::Read(path, &file, budget);
    ASSERT_TRUE(read.ok()) << read.message();
    std::vector<float> out;
    ASSERT_TRUE(file.Floats("w", {5000}, &out).ok());
    EXPECT_EQ(out, weights);
    EXPECT_GT(budget.used(), 20000u);
    EXPECT_EQ(SafetensorsFile::Read(path, &file, small).code(), Code::kMemory);
  }
  EXPECT_EQ(budget.used(), 0u);
  SafetensorsFile file;
  EXPECT_EQ(SafetensorsFile::Read(path + ".no", &file).code(), Code::kIo);
  EXPECT_EQ(SafetensorsFile::Read(folder, &file).code(), Code::kIo);
  EXPECT_EQ(writer.Write(std::string(folder) + "/no/such/f").code(), Code::kIo);
  EXPECT_EQ(::unlink(path.c_str()), 0);
  EXPECT_EQ(::rmdir(folder), 0);  // nothing temporary left behind
}

TEST(Half, KnownValuesAndRoundTrip) {
  EXPECT_EQ(FloatToHalf(1.0f), 0x3C00);
  EXPECT_EQ(FloatToHalf(-2.0f), 0xC000);
  EXPECT_EQ(FloatToHalf(65504.0f), 0x7BFF);
  EXPECT_EQ(FloatToHalf(1e6f), 0x7C00);
  EXPECT_EQ(FloatToHalf(5.9604645e-8f), 0x0001);
  for (uint32_t half = 0; half < 65536; ++half) {
    const float value = HalfToFloat(static_cast<uint16_t>(half));
    if (std::isnan(value)) continue;
    EXPECT_EQ(FloatToHalf(value), half);
  }
}

}  // namespace
}  // namespace daf
