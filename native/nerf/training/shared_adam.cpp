#include "native/nerf/training/shared_adam.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace daf::nerf {
namespace {

constexpr float kBeta1 = 0.9f, kBeta2 = 0.99f, kEpsilon = 1e-15f;
constexpr size_t kBlock = 64;          // floats that are summed or skipped together
constexpr size_t kSpan = 16 * kBlock;  // of one call of the kernel: stays in L1
constexpr uint64_t kAverageEvery = 8;  // steps: the average changes slowly, and reads everything

bool AllZero(const float* values) {
  uint32_t any = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    any |= bits;
  }
  return any == 0;
}

Status Zeroed(Arena* arena, size_t count, float** out) {
  DAF_RETURN_IF_ERROR(arena->Allocate(count, out));
  std::memset(*out, 0, count * sizeof(float));
  return Status::Ok();
}

}  // namespace

Status SharedAdam::Reserve(const Field& field, uint32_t threads, uint32_t samples,
                           float average_decay, Arena* arena) {
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  count_ = summed_ = field.parameter_count();
  threads_ = std::vector<Thread>(threads);
  if (samples > 0) DAF_RETURN_IF_ERROR(ReserveDeltas(field, samples, arena));
  for (Thread& thread : threads_) DAF_RETURN_IF_ERROR(Zeroed(arena, summed_, &thread.gradients));
  DAF_RETURN_IF_ERROR(Zeroed(arena, count_, &first_));
  DAF_RETURN_IF_ERROR(Zeroed(arena, count_, &second_));
  average_decay_ = average_decay;
  if (average_decay > 0) DAF_RETURN_IF_ERROR(Zeroed(arena, count_, &average_));
  return Status::Ok();
}

Status SharedAdam::ReserveDeltas(const Field& field, uint32_t samples, Arena* arena) {
  // A thread ends a step within a pass of its share, and pads the last tile of each pass.
  const uint32_t room = TilesOf(samples) + 2 * kPassTiles;
  const size_t lanes = size_t{room} * kernels::kTile, rows = field.table_rows();
  size_t largest = 0;
  for (uint32_t l = 0; l < field.table_levels(); ++l)
    largest = std::max(largest, field.table(l).count);
  if (lanes * (rows + 3) + largest >= count_ - field.table_begin()) return Status::Ok();
  for (Thread& thread : threads_) {
    TableDeltas& deltas = thread.deltas;
    for (float** lane : {&deltas.x, &deltas.y, &deltas.z})
      DAF_RETURN_IF_ERROR(arena->Allocate(lanes, lane));
    DAF_RETURN_IF_ERROR(arena->Allocate(lanes * rows, &deltas.rows));
    DAF_RETURN_IF_ERROR(Zeroed(arena, largest, &thread.level));
    deltas.row_count = field.table_rows();
    deltas.room = room;
  }
  defers_ = true;
  summed_ = field.table_begin();
  return Status::Ok();
}

void SharedAdam::ClearGradients(uint32_t thread) {
  std::memset(threads_[thread].gradients, 0, summed_ * sizeof(float));
  threads_[thread].deltas.tiles = 0;
}

SharedAdam::Rates SharedAdam::RatesOf(const Field& field, float rate, float scale) const {
  const uint64_t step = steps_ + 1;
  const double power1 = std::pow(double{kBeta1}, static_cast<double>(step)),
               power2 = std::pow(double{kBeta2}, static_cast<double>(step));
  const float blend = average_ == nullptr || step % kAverageEvery != 0
                          ? 0.0f
                          : 1 - std::pow(average_decay_, static_cast<float>(kAverageEvery));
  return {field.groups(), rate, scale, static_cast<float>(1 / (1 - power2)), blend, 1 - power1};
}

void SharedAdam::Update(uint32_t thread, Field* field, float rate, float scale) {
  const Rates rates = RatesOf(*field, rate, scale);
  const size_t threads = threads_.size(), blocks = (summed_ + kBlock - 1) / kBlock;
  const size_t begin = blocks * thread / threads * kBlock,
               end = std::min(summed_, blocks * (thread + 1) / threads * kBlock);
  for (size_t at = begin; at < end; at += kSpan) {
    const size_t to = std::min(end, at + kSpan);
    Sum(at, to);
    Apply(field, rates, at, to, threads_[0].gradients + at);
  }
  if (!defers_) return;
  float* gradients = threads_[thread].level;
  for (;;) {
    const uint32_t taken = levels_taken_.fetch_add(1, std::memory_order_relaxed);
    if (taken >= field->table_levels()) break;
    const uint32_t level = field->table_levels() - 1 - taken;  // the small ones come last
    const ParameterRange range = field->table(level);
    for (const Thread& each : threads_) field->AddDeferred(level, each.deltas, gradients);
    for (size_t at = 0; at < range.count; at += kSpan) {
      const size_t from = range.begin + at, n = std::min(kSpan, range.count - at);
      Apply(field, rates, from, from + n, gradients + at);
    }
  }
}

void SharedAdam::Apply(Field* field, const Rates& rates, size_t begin, size_t end,
                       float* gradients) {
  float* values = field->parameters();
  for (const ParameterGroup& group : rates.groups) {
    const size_t from = std::max(begin, group.begin), to = std::min(end, group.begin + group.count);
    if (from >= to) continue;
    const kernels::AdamArgs args = {
        values + from, gradients + (from - begin),
        first_ + from, second_ + from,
        to - from,     static_cast<float>(group.rate * rates.rate / rates.first),
        rates.second,  kBeta1,
        kBeta2,        kEpsilon,
        group.decay,   rates.scale,
        group.sparse};
    kernels_->adam(&args);
    if (rates.blend == 0) continue;
    for (size_t i = from; i < to; ++i) average_[i] += rates.blend * (values[i] - average_[i]);
  }
}

// All threads' gradients into the first's; the others' are zero afterwards.
void SharedAdam::Sum(size_t begin, size_t end) {
  float* sum = threads_[0].gradients;
  for (size_t other = 1; other < threads_.size(); ++other) {
    float* add = threads_[other].gradients;
    for (size_t at = begin; at < end; at += kBlock) {
      const size_t n = std::min(kBlock, end - at);
      if (n == kBlock && AllZero(add + at)) continue;
      for (size_t i = at; i < at + n; ++i) {
        sum[i] += add[i];
        add[i] = 0;
      }
    }
  }
}

void SharedAdam::Finish(Field* field) {
  ++steps_;
  for (Thread& thread : threads_) thread.deltas.tiles = 0;
  levels_taken_.store(0, std::memory_order_relaxed);
  field->Pack();
}

bool SharedAdam::Average(float* out) const {
  if (average_ == nullptr || steps_ < kAverageEvery) return false;
  const double kept = std::pow(static_cast<double>(average_decay_),
                               static_cast<double>(steps_ / kAverageEvery * kAverageEvery));
  const float scale = static_cast<float>(1 / (1 - kept));
  for (size_t i = 0; i < count_; ++i) out[i] = average_[i] * scale;
  return true;
}

}  // namespace daf::nerf
