// What training from the photos of a scene can be told. Lengths are in box edges unless said.
#pragma once

#include <cstdint>

#include "native/base/status.h"
#include "native/nerf/importance.h"

namespace daf::nerf {

enum class TrainingBackground : uint32_t {
  kFixed,    // `background`: what lies behind the scene in every picture and every rendering
  kRandom,   // another colour for every ray, behind the picture and the field alike: needs mattes,
             // and teaches opacity
  kLearned,  // the model's background network, learnt with the field
};

struct SceneTrainOptions {
  uint32_t threads = 1;  // 1–64, all of which must call SceneTrainer::Run
  uint64_t seed = 1;

  uint32_t samples_per_step = 1u << 15;  // that colour and gradients are computed for, of all
                                         // threads together; rays are drawn until there are as many
  uint32_t samples_per_edge = 512;       // the lattice that rays are sampled on, 8–4096
  float near = 0;  // nothing is less deep than this in any picture, in the scene's unit
  float occupied_depth = 0.03f;  // optical depth above which a cell of the grid is occupied
  float min_weight = 1e-4f;      // samples that count for less are left out of colour and gradients
  float min_transmittance = 1e-4f;  // where less light gets through, a ray ends

  ImportanceCounts importance;  // of each ray, instead of the lattice, where the field has a coarse
                                // network

  TrainingBackground background_kind = TrainingBackground::kFixed;
  float background[3] = {0, 0, 0};

  bool refine_poses = false;  // of the training pictures, learnt with the field

  uint64_t total_steps = 0;  // that the schedule is laid out for; 0: as each Run says
  float learning_rate = 1e-2f;
  float final_rate = 0.03f;    // of the first, at the end of the schedule
  float decay_begin = 0.4f;    // progress at which the rate begins to fall
  uint32_t warmup_steps = 50;  // over which it rises from a hundredth
  float average_decay = 0;     // of the moving average of the weights, a step; 0 for none

  float huber = 0.1f;           // where the colour loss turns from square to linear
  float distortion_weight = 0;  // mip-NeRF 360's: each ray's light should end in one place
  float opacity_weight = 0;     // entropy of a ray's opacity: opaque or empty, nothing between
  float variation_weight = 0;   // total variation of the hash tables where samples lie

  // Errors: kBadArgument naming the option.
  Status Check() const;
};

}  // namespace daf::nerf
