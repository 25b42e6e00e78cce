#include "native/nerf/training/shown_cells.h"

#include <cstring>

namespace daf::nerf {

Status ShownCells::Reserve(const Occupancy& grid, uint32_t threads, Arena* arena) {
  resolution_ = grid.resolution();
  last_ = static_cast<int32_t>(resolution_) - 1;
  words_ = resolution_ * resolution_ * resolution_ / 64;
  marks_.resize(threads);
  for (uint64_t*& marks : marks_) {
    DAF_RETURN_IF_ERROR(arena->Allocate(words_, &marks));
    std::memset(marks, 0, words_ * sizeof(uint64_t));
  }
  DAF_RETURN_IF_ERROR(arena->Allocate(64 * words_, &unseen_));
  std::memset(unseen_, 0, 64 * words_);
  return Status::Ok();
}

void ShownCells::Sweep(Occupancy* grid) {
  ++sweeps_;
  grid->Filter([&](size_t w, uint64_t dense) {
    uint64_t shown = 0;
    for (uint64_t* marks : marks_) {
      shown |= marks[w];
      marks[w] = 0;
    }
    // One cell in 64 is tried again in each sweep, another one in each word.
    const uint64_t turn = uint64_t{1} << ((sweeps_ + 37 * w) & 63);
    uint8_t* unseen = unseen_ + 64 * w;
    uint64_t kept = 0;
    for (int bit = 0; bit < 64; ++bit) {
      const uint64_t mask = uint64_t{1} << bit;
      if ((dense & mask) == 0 || (shown & mask) != 0) {
        unseen[bit] = 0;
      } else if (unseen[bit] < kForgotten) {
        ++unseen[bit];
      } else if ((turn & mask) != 0) {
        unseen[bit] = kForgotten - kTrial;
      }
      if (unseen[bit] < kForgotten) kept |= mask;
    }
    return dense & kept;
  });
}

void ShownCells::Certain(const Occupancy& grid, uint64_t* bits) const {
  std::memcpy(bits, grid.bytes(), grid.byte_count());
  for (size_t i = 0; i < 64 * words_; ++i) {
    if (unseen_[i] >= kForgotten - kTrial) bits[i >> 6] &= ~(uint64_t{1} << (i & 63));
  }
}

size_t ShownCells::state_size() const {
  return sizeof sweeps_ + 64 * words_ + marks_.size() * words_ * sizeof(uint64_t);
}

std::vector<uint8_t> ShownCells::State() const {
  std::vector<uint8_t> state(state_size());
  uint8_t* to = state.data();
  const auto put = [&](const void* from, size_t bytes) {
    std::memcpy(to, from, bytes);
    to += bytes;
  };
  put(&sweeps_, sizeof sweeps_);
  put(unseen_, 64 * words_);
  for (const uint64_t* marks : marks_) put(marks, words_ * sizeof(uint64_t));
  return state;
}

void ShownCells::Restore(const std::vector<uint8_t>& state) {
  const uint8_t* from = state.data();
  const auto take = [&](void* to, size_t bytes) {
    std::memcpy(to, from, bytes);
    from += bytes;
  };
  take(&sweeps_, sizeof sweeps_);
  take(unseen_, 64 * words_);
  for (uint64_t* marks : marks_) take(marks, words_ * sizeof(uint64_t));
}

}  // namespace daf::nerf
