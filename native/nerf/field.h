// A radiance field: density and direction-dependent colour at points of the unit cube,
// differentiable in its parameters.
//
// A Field holds parameters; a FieldPass is one thread's way through it (scratch memory, and when
// training the tape of the forward pass). Points and values travel as structures of arrays whose
// length is a whole number of tiles (kernels::kTile samples): the caller pads points with anything
// finite inside the cube and gradients with zeros.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "native/base/arena.h"
#include "native/base/rng.h"
#include "native/base/safetensors.h"
#include "native/base/status.h"
#include "native/kernels/kernels.h"

namespace daf::nerf {

constexpr uint32_t kPassTiles = 88;
constexpr uint32_t kPassSamples =
    kPassTiles * kernels::kTile;  // the most that a call of any pass takes: 4224

inline uint32_t TilesOf(uint32_t samples) {
  return (samples + kernels::kTile - 1) / kernels::kTile;
}

struct PointArrays {
  const float* x;
  const float* y;
  const float* z;
};
struct ColorArrays {
  float* r;
  float* g;
  float* b;
};

// Derivatives of a loss by where samples lie, in the unit cube.
struct PositionDeltas {
  float *x, *y, *z;  // [FieldPass::capacity()]
};

// Derivatives that are still to be added to a field's tables: those by the encoding of whole tiles
// of samples, and where the samples lie.
struct TableDeltas {
  float *x, *y, *z;        // [room][kTile]
  float* rows;             // [room][row_count][kTile]
  uint32_t row_count = 0;  // Field::table_rows()
  uint32_t tiles = 0, room = 0;
};

// What a pass is for. In low precision: layers in bf16, or in bf16 and 8 bits where they bear it;
// encodings in fp32.
enum class PassKind { kInference, kInferenceBf16, kInferenceInt8, kTraining };

class FieldPass {
 public:
  virtual ~FieldPass() = default;
  // To be called before use where the parameters may have changed since the last time: passes in
  // low precision keep rounded copies. Errors: kMemory.
  virtual Status Prepare() { return Status::Ok(); }
  // Samples that one call takes at most, a whole number of tiles up to kPassTiles: a few
  // milliseconds of work, so that callers can poll between.
  virtual uint32_t capacity() const = 0;
  // density[n], per box edge. Remembers what Color needs about these points.
  virtual void Density(const PointArrays& points, uint32_t n, float* density) = 0;
  // Colours in [0, 1] of some of the points of the last Density or Forward: pick[i] is the point,
  // directions[i] its unit direction.
  virtual void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                     const ColorArrays& color) = 0;
  // Both; a null color.r leaves colour out. A pass made for training keeps the tape.
  virtual void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                       float* density, const ColorArrays& color) = 0;
  // Forward in two steps, where only some of the points are worth their colour and gradients: Keep
  // makes points of the last Density the kept points at … at + n − 1; ForwardKept is Forward for
  // the kept points 0 … n − 1, given again, and may use what Density found out about them.
  virtual void Keep(const uint32_t* pick, uint32_t n, uint32_t at) {}
  virtual void ForwardKept(const PointArrays& points, const PointArrays& directions, uint32_t n,
                           float* density, const ColorArrays& color) {
    Forward(points, directions, n, density, color);
  }
  // Whose look Forward and ForwardKept give their colours from now on, where the field has
  // appearance codes: image[i] < appearance_images() for every sample of the tiles, read until
  // Backward is through; null, as at first and always in Color, for the mean of all, which has no
  // gradient.
  virtual void Appearance(const uint32_t* image) {}
  // Adds dL/dparameters of the last Forward or ForwardKept to gradients[parameter_count]. Only for
  // passes made for training.
  virtual void Backward(const float* d_density, const ColorArrays& d_color, float* gradients) = 0;
  // Where the field has tables: from now on Backward appends what they learn to `deltas`, in which
  // there must be room for the pass's tiles, and touches gradients[table_begin()] only. Null, as at
  // first: it adds to all gradients at once.
  virtual void Defer(TableDeltas* deltas) {}
  // From now on Backward also writes dL/dposition; what colours owe to directions is not in it.
  // Null, as at first: it does not.
  virtual void Positions(const PositionDeltas* deltas) {}
};

// A run of parameters that the optimiser treats alike.
struct ParameterGroup {
  size_t begin, count;
  float decay;
  float rate;   // times the learning rate
  bool sparse;  // most gradients of a step are exactly zero
};

struct ParameterRange {
  size_t begin, count;
};

class Field {
 public:
  virtual ~Field() = default;
  virtual const char* kind() const = 0;  // "hashgrid", "classic"
  size_t parameter_count() const { return count_; }
  float* parameters() { return parameters_; }
  const float* parameters() const { return parameters_; }
  // To be called after parameters were written: the kernels read packed copies.
  virtual void Pack() = 0;
  virtual std::vector<ParameterGroup> groups() const = 0;
  // Scratch comes from `arena`, which must outlive the pass. Errors: kMemory, kUnsupported where
  // the instruction set in use, or this kind of field, lacks the precision.
  virtual Status NewPass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const = 0;
  // The same of the coarse network, whose gradients lie in the same parameter_count floats. Errors:
  // also kUnsupported where there is none.
  virtual bool has_coarse() const { return false; }
  virtual Status NewCoarsePass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const {
    return Status(Code::kUnsupported, std::string(this->kind()) + " fields have no coarse network");
  }
  // The total variation of the tables of a field that has some, as in table_variation.h.
  virtual bool has_table() const { return false; }
  // Cells along the unit cube that it tells apart; 0 where that is not known.
  virtual uint32_t detail() const { return 0; }
  // The parameters from here on are tables, one for each level; a level's are [begin, begin +
  // count).
  virtual size_t table_begin() const { return count_; }
  virtual uint32_t table_levels() const { return 0; }
  virtual ParameterRange table(uint32_t level) const { return {count_, 0}; }
  virtual uint32_t table_rows() const { return 0; }  // of deferred deltas
  // Adds the level's share of what was deferred to gradients[table(level).count], in the order of
  // the samples.
  virtual void AddDeferred(uint32_t level, const TableDeltas& deltas, float* gradients) const {}
  virtual double Variation(const PointArrays& points, uint32_t n, float weight,
                           float* gradients) const {
    return 0;
  }
  // Training pictures that have an appearance code; 0 where the field has none.
  virtual uint32_t appearance_images() const { return 0; }
  // Tensors and metadata; the writer borrows the field and `scratch`.
  virtual Status Save(Arena* scratch, SafetensorsWriter* writer) const = 0;
  virtual Status LoadTensors(const SafetensorsFile& file) = 0;

 protected:
  Arena arena_;  // parameters and their packed copies
  const kernels::Table* kernels_ = nullptr;
  float* parameters_ = nullptr;
  size_t count_ = 0;
};

struct HashGridConfig {
  uint32_t levels = 12, features = 2, log2_entries = 15, coarsest = 8, finest = 256,
           density_width = 64, color_width = 64;
  uint32_t appearance = 0;  // numbers of each training picture's code, a multiple of 4 up to 32
  uint32_t images = 0;      // that have one; 0 exactly where appearance is
};
// A classic network: its defaults are the published one's, but for the density's activation.
struct ClassicConfig {
  uint32_t width = 256, depth = 8, position_frequencies = 10, direction_frequencies = 4;
  uint32_t view_width = 128;
  std::vector<uint32_t> skips = {4};  // hidden layers (from 0, ascending, not the first) that see
                                      // the encoded position again, before the hidden rows
  std::vector<uint32_t> linear;       // hidden layers without ReLU (from 0, ascending)
  bool feature_relu = false;          // the feature layer; when it has none it is folded away
  bool relu_density = false;          // instead of exp: density = max(0, output)
  bool raw_position = true, raw_direction = true;  // the encodings begin with their input itself
  // What is encoded is scale · unit-cube point + shift. Networks trained elsewhere know other
  // coordinates than ours, [-1, 1].
  float input_scale[3] = {2, 2, 2}, input_shift[3] = {-1, -1, -1};
  bool coarse = false;  // a second network of the same shape, which proposes where along a ray the
                        // first one is asked
};
// Errors: kBadArgument naming what is out of range.
Status Check(const ClassicConfig& config);

// Errors: kBadArgument for a configuration out of range, kMemory, kUnsupported.
Status NewHashGrid(const HashGridConfig& config, uint64_t seed, std::unique_ptr<Field>* out);
Status NewClassic(const ClassicConfig& config, uint64_t seed, std::unique_ptr<Field>* out);
// The field that a checkpoint describes. Errors: kBadData naming the tensor or key.
Status LoadField(const SafetensorsFile& file, std::unique_ptr<Field>* out);

}  // namespace daf::nerf
