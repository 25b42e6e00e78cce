// How much a training still computes once it is told to stop, in samples: what a poll comes after
// does not depend on how fast the machine is.
#include <gtest/gtest.h>

#include "native/nerf/testing_field.h"
#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

using testing::Small;

// What passes have computed since the training was cancelled, which happens as one is called.
struct Watch {
  int32_t words[3] = {0, 0, 0};  // of a TaskControl
  uint32_t calls = 0;            // until it is cancelled
  uint64_t forward = 0, backward = 0;

  void Call(uint64_t* count, uint32_t samples) {
    if (calls > 0 && --calls == 0) words[0] = 1;
    if (words[0] != 0) *count += samples;
  }
};

class WatchedPass final : public FieldPass {
 public:
  WatchedPass(std::unique_ptr<FieldPass> pass, Watch* watch)
      : pass_(std::move(pass)), watch_(*watch) {}
  Status Prepare() override { return pass_->Prepare(); }
  uint32_t capacity() const override { return pass_->capacity(); }
  void Density(const PointArrays& points, uint32_t n, float* density) override {
    watch_.Call(&watch_.forward, n);
    pass_->Density(points, n, density);
  }
  void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
             const ColorArrays& color) override {
    pass_->Color(pick, directions, n, color);
  }
  void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n, float* density,
               const ColorArrays& color) override {
    taped_ = n;
    watch_.Call(&watch_.forward, n);
    pass_->Forward(points, directions, n, density, color);
  }
  void Keep(const uint32_t* pick, uint32_t n, uint32_t at) override { pass_->Keep(pick, n, at); }
  void ForwardKept(const PointArrays& points, const PointArrays& directions, uint32_t n,
                   float* density, const ColorArrays& color) override {
    taped_ = n;
    watch_.Call(&watch_.forward, n);
    pass_->ForwardKept(points, directions, n, density, color);
  }
  void Backward(const float* d_density, const ColorArrays& d_color, float* gradients) override {
    watch_.Call(&watch_.backward, taped_);
    pass_->Backward(d_density, d_color, gradients);
  }
  void Defer(TableDeltas* deltas) override { pass_->Defer(deltas); }

 private:
  std::unique_ptr<FieldPass> pass_;
  Watch& watch_;
  uint32_t taped_ = 0;
};

class WatchedField final : public Field {
 public:
  WatchedField(std::unique_ptr<Field> field, Watch* watch)
      : field_(std::move(field)), watch_(*watch) {
    parameters_ = field_->parameters();
    count_ = field_->parameter_count();
  }
  const char* kind() const override { return field_->kind(); }
  void Pack() override { field_->Pack(); }
  std::vector<ParameterGroup> groups() const override { return field_->groups(); }
  Status NewPass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const override {
    return Watched(field_->NewPass(kind, arena, out), out);
  }
  bool has_coarse() const override { return field_->has_coarse(); }
  Status NewCoarsePass(PassKind kind, Arena* arena,
                       std::unique_ptr<FieldPass>* out) const override {
    return Watched(field_->NewCoarsePass(kind, arena, out), out);
  }
  bool has_table() const override { return field_->has_table(); }
  size_t table_begin() const override { return field_->table_begin(); }
  uint32_t table_levels() const override { return field_->table_levels(); }
  ParameterRange table(uint32_t level) const override { return field_->table(level); }
  uint32_t table_rows() const override { return field_->table_rows(); }
  void AddDeferred(uint32_t level, const TableDeltas& deltas, float* gradients) const override {
    field_->AddDeferred(level, deltas, gradients);
  }
  Status Save(Arena* scratch, SafetensorsWriter* writer) const override {
    return field_->Save(scratch, writer);
  }
  Status LoadTensors(const SafetensorsFile& file) override { return field_->LoadTensors(file); }

 private:
  Status Watched(const Status& made, std::unique_ptr<FieldPass>* out) const {
    if (made.ok()) *out = std::make_unique<WatchedPass>(std::move(*out), &watch_);
    return made;
  }
  std::unique_ptr<Field> field_;
  Watch& watch_;
};

// Cancelled in the first, second, … call of a pass, in steps and in sweeps of the grid, a training
// computes no more than one call's samples forwards and backwards.
void ExpectStopsSoon(std::unique_ptr<Field> field, uint32_t capacity) {
  Watch watch;
  std::unique_ptr<Model> model;
  ASSERT_TRUE(
      Model::Make(std::make_unique<WatchedField>(std::move(field), &watch), Box(), 32, &model)
          .ok());
  SceneTrainOptions options = Small();
  options.samples_per_step = 2 * capacity;  // several rounds
  options.importance = {32, 64};
  const auto trainer = testing::TrainerOf(model.get(), options, testing::Photos(true));
  SceneTrainReport report;
  ASSERT_TRUE(trainer->Run(0, 15, 0, 0, TaskControl(), &report).ok());
  uint64_t most = 0;
  uint32_t cancelled = 0;
  for (uint32_t calls = 1; calls < 200; calls += calls < 40 ? 1 : 7) {
    watch = Watch();
    watch.calls = calls;
    const Status status = trainer->Run(0, 1, 0, 0, TaskControl(watch.words), &report);
    if (watch.words[0] == 0) break;  // the step and its sweep take fewer calls
    cancelled += status.code() == Code::kCancelled ? 1 : 0;
    EXPECT_LE(watch.forward, capacity) << "after call " << calls;
    EXPECT_LE(watch.backward, capacity) << "after call " << calls;
    most = std::max(most, watch.forward);
  }
  EXPECT_GT(cancelled, 10u);
  EXPECT_GT(most, capacity / 2);
}

uint32_t CapacityOf(const Field& field) {
  Arena arena;
  std::unique_ptr<FieldPass> pass;
  EXPECT_TRUE(field.NewPass(PassKind::kTraining, &arena, &pass).ok());
  return pass->capacity();
}

TEST(CancelledTraining, OfAHashGridStopsWithinOneCall) {
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewHashGrid({8, 2, 13, 8, 96, 32, 32}, 1, &field).ok());
  const uint32_t capacity = CapacityOf(*field);
  EXPECT_LT(capacity * 5e-6, 0.05);  // seconds: a sample takes 1 to 2 µs forwards, twice that back
  ExpectStopsSoon(std::move(field), capacity);
}

TEST(CancelledTraining, OfAClassicFieldStopsWithinOneCall) {
  std::unique_ptr<Field> published;
  ASSERT_TRUE(NewClassic(ClassicConfig(), 1, &published).ok());
  const uint32_t capacity = CapacityOf(*published);
  EXPECT_LT(capacity * 80e-6, 0.05);  // seconds: on a slow core, 20 µs forwards and 60 back
  for (const bool coarse : {false, true}) {
    ClassicConfig config = testing::ClassicOf(16, 2, 2, 1);
    config.coarse = coarse;
    std::unique_ptr<Field> field;
    ASSERT_TRUE(NewClassic(config, 1, &field).ok());
    ExpectStopsSoon(std::move(field), capacity);
  }
}

}  // namespace
}  // namespace daf::nerf
