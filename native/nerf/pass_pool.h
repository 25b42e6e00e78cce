// A field's passes for inference, lent to one thread at a time: as many are made as threads ask at
// once, and kept for the next ones.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "native/nerf/field.h"

namespace daf::nerf {

class PassPool {
 public:
  // Goes back to its pool, which must outlive it, when it leaves scope.
  class Loan {
   public:
    Loan() = default;
    Loan(Loan&& other) noexcept : pool_(other.pool_), pass_(std::move(other.pass_)) {}
    Loan& operator=(Loan&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(pass_, other.pass_);
      return *this;
    }
    ~Loan() {
      if (pass_ == nullptr) return;
      const std::lock_guard<std::mutex> lock(pool_->mutex_);
      pool_->idle_.push_back(std::move(pass_));
    }
    FieldPass& operator*() const { return *pass_; }
    FieldPass* operator->() const { return pass_.get(); }

   private:
    friend class PassPool;
    PassPool* pool_ = nullptr;
    std::unique_ptr<FieldPass> pass_;
  };

  // Thread-safe. `field` is the same in every call. Errors: kMemory.
  Status Borrow(const Field& field, Loan* out) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Loan loan;
    loan.pool_ = this;
    if (idle_.empty()) {
      DAF_RETURN_IF_ERROR(field.NewPass(false, &arena_, &loan.pass_));
    } else {
      loan.pass_ = std::move(idle_.back());
      idle_.pop_back();
    }
    *out = std::move(loan);
    return Status::Ok();
  }

 private:
  std::mutex mutex_;
  Arena arena_;
  std::vector<std::unique_ptr<FieldPass>> idle_;
};

}  // namespace daf::nerf
