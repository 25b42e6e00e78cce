// Small dense symmetric systems in double precision: what pose and fitting solve a few dozen times
// per photo.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace daf::head {

// A[n][n], row-major, overwritten by its lower Cholesky factor. False when A is not positive
// definite.
inline bool Cholesky(double* a, size_t n) {
  for (size_t j = 0; j < n; ++j) {
    double d = a[j * n + j];
    for (size_t k = 0; k < j; ++k) d -= a[j * n + k] * a[j * n + k];
    if (!(d > 0) || !std::isfinite(d)) return false;
    const double diagonal = std::sqrt(d), inverse = 1 / diagonal;
    a[j * n + j] = diagonal;
    for (size_t i = j + 1; i < n; ++i) {
      double s = a[i * n + j];
      const double *ri = a + i * n, *rj = a + j * n;
      for (size_t k = 0; k < j; ++k) s -= ri[k] * rj[k];
      a[i * n + j] = s * inverse;
    }
  }
  return true;
}

// x[n] := L⁻¹ x for a factor left by Cholesky.
inline void SolveLower(const double* l, size_t n, double* x) {
  for (size_t i = 0; i < n; ++i) {
    double s = x[i];
    for (size_t k = 0; k < i; ++k) s -= l[i * n + k] * x[k];
    x[i] = s / l[i * n + i];
  }
}

// x[n] := L⁻ᵀ x.
inline void SolveUpper(const double* l, size_t n, double* x) {
  for (size_t i = n; i-- > 0;) {
    double s = x[i];
    for (size_t k = i + 1; k < n; ++k) s -= l[k * n + i] * x[k];
    x[i] = s / l[i * n + i];
  }
}

inline void SolveCholesky(const double* l, size_t n, double* x) {
  SolveLower(l, n, x);
  SolveUpper(l, n, x);
}

// diagonal[n] of A⁻¹ from the factor of A.
inline void InverseDiagonal(const double* l, size_t n, double* diagonal) {
  std::vector<double> column(n);
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = 0; i < n; ++i) column[i] = i == j;
    SolveLower(l, n, column.data());
    double s = 0;
    for (size_t i = j; i < n; ++i) s += column[i] * column[i];
    diagonal[j] = s;
  }
}

}  // namespace daf::head
