// Which cells of the unit cube may hold anything: one bit a cell and one bit a block of 8³ cells,
// so that rays cross empty space in few steps.
#pragma once

#include <cstdint>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/rng.h"
#include "native/nerf/field.h"
#include "native/nerf/space.h"

namespace daf::nerf {

class Occupancy {
 public:
  // resolution: cells along each axis, a multiple of 8 in 8–256; unbounded: whether the cube is
  // that of an unbounded box. All cells occupied. Errors: kBadArgument, kMemory.
  Status Make(uint32_t resolution, bool unbounded = false);
  uint32_t resolution() const { return resolution_; }

  bool Occupied(uint32_t x, uint32_t y, uint32_t z) const {
    return Bit(bits_, (size_t{z} * resolution_ + y) * resolution_ + x);
  }
  // Whether it may hold anything at all, whatever the field says.
  bool Allowed(uint32_t x, uint32_t y, uint32_t z) const {
    return Bit(allowed_, (size_t{z} * resolution_ + y) * resolution_ + x);
  }
  bool AllAllowed() const;
  bool BlockOccupied(uint32_t x, uint32_t y, uint32_t z) const {
    return Bit(blocks_, (size_t{z} * block_resolution_ + y) * block_resolution_ + x);
  }
  double Fraction() const;  // of occupied cells

  // Cells that can never hold anything (carved from views) stay empty whatever the field says.
  void AllowAll();
  void Forbid(uint32_t x, uint32_t y, uint32_t z);
  // Occupied = allowed.
  void ResetToAllowed();

  // Sweep, then Threshold. Errors: kCancelled.
  Status Update(FieldPass* pass, bool all, bool grow, Rng* rng, const TaskControl& control);

  // A share of the cells that one thread visits: slab `part` of `parts` along z.
  struct Part {
    uint32_t part = 0, parts = 1;
  };
  // Evaluates the field at one jittered point of every allowed cell (`all`), or of a quarter of the
  // cells at random and of a quarter among the occupied, and keeps max(0.95 · old, new). Parts may
  // run at once, each with its own pass, rng and scratch [kSweepScratch]. Errors: kCancelled.
  static constexpr size_t kSweepScratch = size_t{4} * kPassSamples;
  Status Sweep(FieldPass* pass, Part part, bool all, Rng* rng, float* scratch,
               const TaskControl& control);
  // Sets the bits of cells whose optical depth exceeds min(depth, mean). Neighbours of occupied
  // cells count as occupied where `grow`.
  void Threshold(bool grow, float depth = 0.01f);
  // bits = filter(word, bits) for 64 cells at a time, in the order of bytes(): fewer of them.
  template <typename Function>
  void Filter(Function filter) {
    for (size_t w = 0; w < cells() / 64; ++w) bits_[w] &= filter(w, bits_[w]);
    RebuildBlocks();
  }
  // Only these cells, laid out as bytes(), and their neighbours may hold anything from now on.
  void AllowAround(const uint64_t* bits);

  // resolution³ / 8 bytes, cell x fastest.
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(bits_); }
  size_t byte_count() const { return size_t{resolution_} * resolution_ * resolution_ / 8; }
  void Restore(const uint8_t* bytes);

  // What training continues from besides the bits: the cells' decaying maxima [resolution³] and
  // which of them may hold anything, laid out as bytes().
  float* maxima() { return density_; }
  uint8_t* allowed_bytes() { return reinterpret_cast<uint8_t*>(allowed_); }
  // Bits as they were, without making them the allowed ones.
  void RestoreBits(const uint8_t* bytes);

 private:
  static bool Bit(const uint64_t* words, size_t i) {
    return ((words[i >> 6] >> (i & 63)) & 1) != 0;
  }
  static void Set(uint64_t* words, size_t i) { words[i >> 6] |= uint64_t{1} << (i & 63); }
  size_t cells() const { return size_t{resolution_} * resolution_ * resolution_; }
  void RebuildBlocks();
  void SetAround(uint64_t* bits, uint32_t x, uint32_t y, uint32_t z);
  void EvaluateCells(FieldPass* pass, const uint32_t* indices, uint32_t n, bool replace, Rng* rng,
                     float* scratch);

  Arena arena_;
  // How much longer a cell is than the box's edge / resolution.
  float Stretch(uint32_t x, uint32_t y, uint32_t z) const;

  uint32_t resolution_ = 0, block_resolution_ = 0;
  bool unbounded_ = false;
  uint64_t* bits_ = nullptr;
  uint64_t* allowed_ = nullptr;
  uint64_t* blocks_ = nullptr;
  float* density_ = nullptr;  // per box edge, times the cell's stretch; decaying maximum
  float* scratch_ = nullptr;  // kSweepScratch
};

}  // namespace daf::nerf
