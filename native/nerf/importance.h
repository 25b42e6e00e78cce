// Hierarchical sampling of a ray (Mildenhall et al. 2020, "NeRF", §5.2): where weights of a first,
// coarse look along it are large, more samples are placed.
#pragma once

#include <cstdint>

#include "native/base/rng.h"

namespace daf::nerf {

// Where samples of a ray are placed by number: `coarse` strata for the first look, `fine` more
// where they found something.
struct ImportanceCounts {
  uint32_t coarse = 64, fine = 128;
  uint32_t total() const { return coarse + fine; }
};

// `bins` equal strata of [near, far] carry the given weights ≥ 0. Writes `count` ascending
// distances to out[count] whose density is piecewise constant and proportional to the weights, by
// the inverse of their cumulative sum at (i + jitter) / count: jitter 0.5 without `rng`, else
// random in each stratum. Strata without weight get no sample unless all are without, which counts
// as uniform.
void SampleInverse(const float* weights, uint32_t bins, float near, float far, Rng* rng,
                   uint32_t count, float* out);

// Merges two ascending lists into out[a_count + b_count].
void MergeAscending(const float* a, uint32_t a_count, const float* b, uint32_t b_count, float* out);

// The part of [near, far] that each of the ascending distances stands for: from half way to its
// neighbour before to half way to the one behind. Their sum is far − near.
void SampleLengths(const float* t, uint32_t count, float near, float far, float* length);

// The samples of both looks along one ray, ascending, and their lengths: t and length [total()].
// `weights` [coarse] are those of the samples coarse_t, one in each equal stratum of [near, far];
// `scratch` [fine].
void PlaceSamples(const ImportanceCounts& counts, const float* weights, const float* coarse_t,
                  float near, float far, Rng* rng, float* scratch, float* t, float* length);

}  // namespace daf::nerf
