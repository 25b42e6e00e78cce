// A training that is cut into calls, threads and processes is the same training.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

using testing::Photo;
using testing::Photos;
using testing::RunAll;
using testing::Small;
using testing::SmallModel;
using testing::TrainerOf;
using testing::Weights;

// With tables whose gradients each thread has for itself, and with deferred ones.
class Continued : public ::testing::TestWithParam<uint32_t> {
 protected:
  static std::unique_ptr<Model> NewModel() { return SmallModel(false, 0, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Log2Entries, Continued, ::testing::Values(13, 15));

TEST_P(Continued, DeterministicForANumberOfThreads) {
  const std::vector<Photo> photos = Photos(true);
  for (const uint32_t threads : {1u, 2u, 3u}) {
    std::vector<float> first;
    for (const std::vector<uint32_t>& calls :
         {std::vector<uint32_t>{40}, std::vector<uint32_t>{1, 15, 24}}) {
      const auto model = NewModel();
      const auto trainer = TrainerOf(model.get(), Small(threads), photos);
      SceneTrainReport report;
      for (const uint32_t steps : calls) ASSERT_TRUE(RunAll(trainer.get(), steps, &report).ok());
      EXPECT_EQ(report.step, 40u);
      if (first.empty()) {
        first = Weights(model.get());
      } else {
        EXPECT_EQ(Weights(model.get()), first) << threads << " threads";
      }
    }
  }
}

TEST_P(Continued, ResumedIsAsIfUninterrupted) {
  testing::ExpectResumedIsUninterrupted(NewModel, Small(2), Photos(true), 20, 30);
}

TEST_P(Continued, IsRefusedToAnotherNumberOfThreads) {
  const std::vector<Photo> photos = Photos(true);
  const auto model = NewModel();
  const auto trainer = TrainerOf(model.get(), Small(2), photos);
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), 2, &report).ok());
  const SafetensorsFile state = testing::StateOf(trainer.get(), "");
  const auto other = NewModel();
  const std::vector<float> untouched = Weights(other.get());
  std::string note;
  EXPECT_EQ(TrainerOf(other.get(), Small(1), photos)->RestoreState(state, &note).code(),
            Code::kBadData);
  EXPECT_EQ(Weights(other.get()), untouched);
}

TEST_P(Continued, CancelledByOneStopsAllAndLeavesNoTrace) {
  const std::vector<Photo> photos = Photos(true);
  std::vector<float> weights[2];
  for (int i = 0; i < 2; ++i) {
    const auto model = NewModel();
    const auto trainer = TrainerOf(model.get(), Small(2), photos);
    SceneTrainReport report;
    ASSERT_TRUE(RunAll(trainer.get(), 3, &report).ok());
    if (i == 1) testing::CancelOneOfTwo(trainer.get());
    ASSERT_TRUE(RunAll(trainer.get(), 3, &report).ok());
    weights[i] = Weights(model.get());
  }
  EXPECT_EQ(weights[0], weights[1]);
}

// The bytes of a state, in which one tensor's last element, or the shape of it, is another.
std::vector<uint8_t> Damaged(const SafetensorsFile& state, const std::string& name,
                             const char* damage, std::vector<float>* scratch) {
  SafetensorsWriter writer;
  std::vector<uint8_t> bytes;
  for (const auto& [key, value] : state.metadata()) writer.Metadata(key, value);
  for (const Tensor& tensor : state.tensors()) {
    if (tensor.name != name) {
      EXPECT_TRUE(writer.Add(tensor.name, tensor.dtype, tensor.shape, tensor.data).ok());
      continue;
    }
    if (damage == std::string("missing")) continue;
    scratch->resize(tensor.count + 1);
    std::memcpy(scratch->data(), tensor.data, tensor.bytes);
    if (damage == std::string("not finite")) (*scratch)[tensor.count - 1] = NAN;
    const uint64_t longer = damage == std::string("longer") ? 1 : 0;
    EXPECT_TRUE(writer.Add(name, tensor.dtype, {tensor.count + longer}, scratch->data()).ok());
  }
  EXPECT_TRUE(writer.Serialize(&bytes).ok());
  return bytes;
}

TEST(TrainingState, AtFaultIsRefusedNamesTheTensorAndLeavesNoTrace) {
  const std::vector<Photo> photos = Photos(false);
  SceneTrainOptions options = Small();
  options.background_kind = TrainingBackground::kLearned;
  options.average_decay = 0.9f;
  const auto model = SmallModel();
  const auto trainer = TrainerOf(model.get(), options, photos);
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), 2, &report).ok());
  const SafetensorsFile state = testing::StateOf(trainer.get(), "");
  ASSERT_TRUE(RunAll(trainer.get(), 2, &report).ok());
  const SafetensorsFile before = testing::StateOf(trainer.get(), "");
  std::vector<float> scratch;
  std::string note;
  for (const char* name : {"weights", "first", "second", "average", "maxima", "background"}) {
    for (const char* damage : {"missing", "not finite", "longer"}) {
      const std::vector<uint8_t> bytes = Damaged(state, name, damage, &scratch);
      SafetensorsFile file;
      ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
      const Status refused = trainer->RestoreState(file, &note);
      EXPECT_EQ(refused.code(), Code::kBadData) << name << " " << damage;
      EXPECT_NE(refused.message().find(name), std::string::npos) << refused.message();
    }
  }
  testing::ExpectSameState(testing::StateOf(trainer.get(), ""), before);
  // One that learns no background does not leave another's out.
  const auto plain = SmallModel();
  options.background_kind = TrainingBackground::kFixed;
  EXPECT_EQ(TrainerOf(plain.get(), options, photos)->RestoreState(state, &note).code(),
            Code::kBadData);
}

}  // namespace
}  // namespace daf::nerf
