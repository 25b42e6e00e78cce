#include "native/nerf/occupancy.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace daf::nerf {
namespace {
constexpr float kDecay = 0.95f;
}  // namespace

Status Occupancy::Make(uint32_t resolution, bool unbounded) {
  if (resolution < 8 || resolution > 256 || resolution % 8 != 0) {
    return Status(Code::kBadArgument, "occupancy must be a multiple of 8 from 8 to 256");
  }
  resolution_ = resolution;
  unbounded_ = unbounded;
  block_resolution_ = resolution / 8;
  const size_t blocks =
      (size_t{block_resolution_} * block_resolution_ * block_resolution_ + 63) / 64;
  DAF_RETURN_IF_ERROR(arena_.Allocate(cells() / 64, &bits_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(cells() / 64, &allowed_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(blocks, &blocks_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(cells(), &density_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(kSweepScratch, &scratch_));
  std::memset(density_, 0, cells() * sizeof(float));
  AllowAll();
  ResetToAllowed();
  return Status::Ok();
}

double Occupancy::Fraction() const {
  size_t count = 0;
  for (size_t w = 0; w < cells() / 64; ++w)
    count += static_cast<size_t>(__builtin_popcountll(bits_[w]));
  return static_cast<double>(count) / static_cast<double>(cells());
}

bool Occupancy::AllAllowed() const {
  for (size_t w = 0; w < cells() / 64; ++w) {
    if (~allowed_[w] != 0) return false;
  }
  return true;
}

void Occupancy::AllowAll() { std::memset(allowed_, 0xFF, cells() / 8); }

void Occupancy::Forbid(uint32_t x, uint32_t y, uint32_t z) {
  const size_t i = (size_t{z} * resolution_ + y) * resolution_ + x;
  allowed_[i >> 6] &= ~(uint64_t{1} << (i & 63));
}

void Occupancy::ResetToAllowed() {
  std::memcpy(bits_, allowed_, cells() / 8);
  RebuildBlocks();
}

void Occupancy::Restore(const uint8_t* bytes) {
  std::memcpy(bits_, bytes, cells() / 8);
  std::memcpy(allowed_, bytes, cells() / 8);
  RebuildBlocks();
}

void Occupancy::RestoreBits(const uint8_t* bytes) {
  std::memcpy(bits_, bytes, cells() / 8);
  RebuildBlocks();
}

float Occupancy::Stretch(uint32_t x, uint32_t y, uint32_t z) const {
  const float half = static_cast<float>(resolution_) / 2;
  float off = 0;  // the centre's distance in the contracted space, where the box ends at 1
  for (const uint32_t c : {x, y, z})
    off = std::max(off, std::fabs((static_cast<float>(c) + 0.5f) / half - 1) * 2);
  return 2 * Box::Stretch(off > 1 ? 1 / (2 - off) : off);
}

void Occupancy::RebuildBlocks() {
  const size_t blocks =
      (size_t{block_resolution_} * block_resolution_ * block_resolution_ + 63) / 64;
  std::memset(blocks_, 0, blocks * sizeof(uint64_t));
  const uint8_t* rows = bytes();  // a byte is 8 cells along x: one block's share of a row
  for (uint32_t z = 0; z < resolution_; ++z) {
    for (uint32_t y = 0; y < resolution_; ++y) {
      for (uint32_t bx = 0; bx < block_resolution_; ++bx) {
        if (*rows++ != 0)
          Set(blocks_, (size_t{z / 8} * block_resolution_ + y / 8) * block_resolution_ + bx);
      }
    }
  }
}

void Occupancy::EvaluateCells(FieldPass* pass, const uint32_t* indices, uint32_t n, bool replace,
                              Rng* rng, float* scratch) {
  float* x = scratch;
  float* y = x + kPassSamples;
  float* z = y + kPassSamples;
  float* density = z + kPassSamples;
  const float size = 1.0f / static_cast<float>(resolution_);
  for (uint32_t i = 0; i < TilesOf(n) * kernels::kTile; ++i) {
    const uint32_t cell = i < n ? indices[i] : 0;
    x[i] = (static_cast<float>(cell % resolution_) + rng->Uniform()) * size;
    y[i] = (static_cast<float>(cell / resolution_ % resolution_) + rng->Uniform()) * size;
    z[i] = (static_cast<float>(cell / resolution_ / resolution_) + rng->Uniform()) * size;
  }
  pass->Density({x, y, z}, n, density);
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t cell = indices[i], plane = cell / resolution_;
    if (unbounded_)
      density[i] *= Stretch(cell % resolution_, plane % resolution_, plane / resolution_);
    float& kept = density_[cell];
    kept = replace ? density[i] : std::max(kept, density[i]);
  }
}

Status Occupancy::Update(FieldPass* pass, bool all, bool grow, Rng* rng,
                         const TaskControl& control) {
  DAF_RETURN_IF_ERROR(Sweep(pass, Part(), all, rng, scratch_, control));
  Threshold(grow);
  return Status::Ok();
}

Status Occupancy::Sweep(FieldPass* pass, Part part, bool all, Rng* rng, float* scratch,
                        const TaskControl& control) {
  const size_t slab = size_t{resolution_} * resolution_,
               begin = uint64_t{resolution_} * part.part / part.parts * slab,
               end = uint64_t{resolution_} * (part.part + 1) / part.parts * slab;
  DAF_RETURN_IF_ERROR(control.Check());  // a step that is whole may have come just before
  std::vector<uint32_t> batch(pass->capacity());
  uint32_t n = 0;
  const auto add = [&](size_t cell) {
    batch[n++] = static_cast<uint32_t>(cell);
    if (n < pass->capacity()) return Status::Ok();
    EvaluateCells(pass, batch.data(), n, all, rng, scratch);
    n = 0;
    return control.Check();
  };
  if (!all) {
    for (size_t i = begin; i < end; ++i) density_[i] *= kDecay;
  }
  for (size_t i = begin; i < end; ++i) {
    if (!Bit(allowed_, i)) {
      density_[i] = 0;
      continue;
    }
    // A quarter of everything and a quarter of what is occupied, drawn cell by cell.
    if (all || rng->Below(4) == 0 || (Bit(bits_, i) && rng->Below(4) == 0))
      DAF_RETURN_IF_ERROR(add(i));
  }
  if (n > 0) EvaluateCells(pass, batch.data(), n, all, rng, scratch);
  return Status::Ok();
}

// The six cells beside one.
void Occupancy::SetAround(uint64_t* bits, uint32_t x, uint32_t y, uint32_t z) {
  const uint32_t r = resolution_;
  const size_t i = (size_t{z} * r + y) * r + x;
  if (x > 0) Set(bits, i - 1);
  if (x + 1 < r) Set(bits, i + 1);
  if (y > 0) Set(bits, i - r);
  if (y + 1 < r) Set(bits, i + r);
  if (z > 0) Set(bits, i - size_t{r} * r);
  if (z + 1 < r) Set(bits, i + size_t{r} * r);
}

void Occupancy::AllowAround(const uint64_t* bits) {
  std::memcpy(allowed_, bits, cells() / 8);
  const uint32_t r = resolution_;
  for (size_t w = 0; w < cells() / 64; ++w) {
    for (uint64_t left = bits[w]; left != 0; left &= left - 1) {
      const uint32_t i =
          static_cast<uint32_t>(64 * w) + static_cast<uint32_t>(__builtin_ctzll(left));
      SetAround(allowed_, i % r, i / r % r, i / r / r);
    }
  }
}

void Occupancy::Threshold(bool grow, float depth) {
  double sum = 0;
  for (size_t i = 0; i < cells(); ++i) sum += density_[i];
  const float length = 1.0f / static_cast<float>(resolution_);
  const float mean = static_cast<float>(sum / static_cast<double>(cells()));
  const float threshold = std::min(depth, mean * length) / length;
  std::memset(bits_, 0, cells() / 8);
  const uint32_t r = resolution_;
  for (uint32_t z = 0; z < r; ++z) {
    for (uint32_t y = 0; y < r; ++y) {
      for (uint32_t x = 0; x < r; ++x) {
        const size_t i = (size_t{z} * r + y) * r + x;
        if (!(density_[i] > threshold)) continue;
        Set(bits_, i);
        if (grow) SetAround(bits_, x, y, z);
      }
    }
  }
  for (size_t w = 0; w < cells() / 64; ++w) bits_[w] &= allowed_[w];
  RebuildBlocks();
}

}  // namespace daf::nerf
