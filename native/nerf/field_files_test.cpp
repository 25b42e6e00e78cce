// Every field's checkpoint, and configurations that no field has.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "native/nerf/model.h"
#include "native/nerf/testing_kinds.h"

namespace daf::nerf {
namespace {

using testing::Classic;
using testing::FieldKind;

class EveryField : public ::testing::TestWithParam<FieldKind> {};

TEST_P(EveryField, RoundTripAndEveryDamage) {
  std::unique_ptr<Field> field;
  ASSERT_TRUE(GetParam().make(&field).ok());
  std::unique_ptr<Model> model, again;
  Box box;
  box.min[0] = -0.1f;
  const size_t count = field->parameter_count();
  ASSERT_TRUE(Model::Make(std::move(field), box, 16, &model).ok());
  Arena scratch;
  SafetensorsWriter writer;
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(model->Save(&scratch, &writer).ok());
  ASSERT_TRUE(writer.Serialize(&bytes).ok());
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
  const Status loaded = Model::Load(file, &again);
  ASSERT_TRUE(loaded.ok()) << loaded.message();
  ASSERT_EQ(again->field().parameter_count(), count);
  SafetensorsWriter second;
  std::vector<uint8_t> copy;
  ASSERT_TRUE(again->Save(&scratch, &second).ok());
  ASSERT_TRUE(second.Serialize(&copy).ok());
  EXPECT_EQ(copy, bytes);
  EXPECT_EQ(again->box().min[0], box.min[0]);
  EXPECT_EQ(std::memcmp(again->occupancy().bytes(), model->occupancy().bytes(),
                        model->occupancy().byte_count()),
            0);

  // Each metadata key damaged in turn is refused, never believed.
  for (const auto& [key, value] : file.metadata()) {
    for (const char* lie : {"", "-1", "99999999", "nan", "12 "}) {
      SafetensorsWriter liar;
      for (const auto& [other, kept] : file.metadata())
        liar.Metadata(other, other == key ? lie : kept);
      for (const Tensor& tensor : file.tensors())
        ASSERT_TRUE(liar.Add(tensor.name, tensor.dtype, tensor.shape, tensor.data).ok());
      std::vector<uint8_t> damaged;
      ASSERT_TRUE(liar.Serialize(&damaged).ok());
      SafetensorsFile parsed;
      ASSERT_TRUE(SafetensorsFile::Parse(damaged.data(), damaged.size(), &parsed).ok());
      std::unique_ptr<Model> none;
      EXPECT_EQ(Model::Load(parsed, &none).code(), Code::kBadData) << key << " = " << lie;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryField, testing::Kinds(), testing::KindName);

TEST(FieldFiles, ABackgroundAtFaultIsRefusedAndNamed) {
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewHashGrid({3, 2, 8, 4, 16, 16, 16}, 1, &field).ok());
  std::unique_ptr<Model> model;
  ASSERT_TRUE(Model::Make(std::move(field), Box(), 16, &model).ok());
  model->NewBackground(1);
  Arena scratch;
  SafetensorsWriter writer;
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(model->Save(&scratch, &writer).ok());
  ASSERT_TRUE(writer.Serialize(&bytes).ok());
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
  for (size_t cut : {size_t{1}, size_t{60}, bytes.size() / 2}) {
    SafetensorsFile none;
    EXPECT_EQ(SafetensorsFile::Parse(bytes.data(), bytes.size() - cut, &none).code(),
              Code::kBadData);
  }
  int damaged = 0;
  for (const Tensor& at_fault : file.tensors()) {
    if (at_fault.name.rfind("background.", 0) != 0) continue;
    ++damaged;
    for (const char* damage : {"missing", "not a number", "another shape"}) {
      std::vector<float> values(at_fault.count);
      std::memcpy(values.data(), at_fault.data, at_fault.bytes);
      std::vector<uint64_t> shape = at_fault.shape;
      if (damage == std::string("not a number")) values.back() = NAN;
      if (damage == std::string("another shape")) shape.back() -= 1;
      SafetensorsWriter liar;
      for (const auto& [key, value] : file.metadata()) liar.Metadata(key, value);
      for (const Tensor& tensor : file.tensors()) {
        if (tensor.name != at_fault.name) {
          ASSERT_TRUE(liar.Add(tensor.name, tensor.dtype, tensor.shape, tensor.data).ok());
        } else if (damage != std::string("missing")) {
          ASSERT_TRUE(liar.Add(tensor.name, tensor.dtype, shape, values.data()).ok());
        }
      }
      std::vector<uint8_t> lie;
      ASSERT_TRUE(liar.Serialize(&lie).ok());
      SafetensorsFile parsed;
      ASSERT_TRUE(SafetensorsFile::Parse(lie.data(), lie.size(), &parsed).ok());
      std::unique_ptr<Model> none;
      const Status refused = Model::Load(parsed, &none);
      EXPECT_EQ(refused.code(), Code::kBadData) << at_fault.name << " " << damage;
      EXPECT_NE(refused.message().find(at_fault.name), std::string::npos) << refused.message();
    }
  }
  EXPECT_EQ(damaged, 6);
}

TEST(FieldConfig, RefusesTheImpossible) {
  std::unique_ptr<Field> field;
  EXPECT_EQ(NewHashGrid({0, 2, 15, 8, 256, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 3, 15, 8, 256, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 8, 15, 8, 256, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 2, 15, 8, 4, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 2, 15, 8, 256, 60, 64}, 1, &field).code(), Code::kBadArgument);
  for (const auto& [appearance, images] : {std::pair{3u, 9u}, {36u, 9u}, {4u, 0u}, {0u, 9u}}) {
    const HashGridConfig config = {12, 2, 15, 8, 256, 64, 64, appearance, images};
    EXPECT_EQ(NewHashGrid(config, 1, &field).code(), Code::kBadArgument);
  }
  const auto refused = [&](const std::function<void(ClassicConfig*)>& change) {
    return Classic(change)(&field).code() == Code::kBadArgument;
  };
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->width = 100; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->width = 2048; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->depth = 0; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->view_width = 12; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->position_frequencies = 17; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->skips = {0}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->skips = {4}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->skips = {2, 2}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->linear = {9}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->input_scale[1] = 0; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->input_shift[2] = NAN; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) {
    c->raw_direction = false;
    c->direction_frequencies = 0;
  }));
}

}  // namespace
}  // namespace daf::nerf
