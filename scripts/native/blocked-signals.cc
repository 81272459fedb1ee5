// Keeps signals out of TensorFlow's operations. The matrix products that oneDNN generates (v3.2 in TensorFlow 2.15) keep
// data where a signal handler on the same thread overwrites it: SIGINT, SIGWINCH or a profiler's SIGPROF in the middle
// of a small product corrupted the heap in seconds. Linked with --wrap, so that the addon's own source stays as it is.

#include <pthread.h>
#include <signal.h>

#include <initializer_list>

#include "tensorflow/c/eager/c_api.h"

namespace {

// Faults of the thread itself must not be blocked: the kernel would end the process without a word.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

extern "C" {

TFE_Context* __real_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status);
void __real_TFE_Execute(TFE_Op* operation, TFE_TensorHandle** outputs, int* count, TF_Status* status);

// The library's threads are made here and inherit the mask.
TFE_Context* __wrap_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  BlockedSignals blocked;
  return __real_TFE_NewContext(options, status);
}

// A signal that arrives meanwhile is delivered right after the operation.
void __wrap_TFE_Execute(TFE_Op* operation, TFE_TensorHandle** outputs, int* count, TF_Status* status) {
  BlockedSignals blocked;
  __real_TFE_Execute(operation, outputs, count, status);
}

}  // extern "C"
