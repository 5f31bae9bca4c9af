/* A TensorFlow Lite external delegate for tests: takes over every LOGISTIC node, and does with it what HOW says.
 *
 * The structures are those of tensorflow/lite/core/c/common.h (TensorFlow 2.14 to 2.20, LiteRT 1 and 2) as far as they
 * are used: their order and size, not their text. tests/unit/board/test_npu.py builds it with -DHOW=...
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIGHT 0
#define LYING 1
#define CRASHING 2
#define HANGING 3
#define NAN_GIVING 4
#define SLOW 5
#define TAKING_NOTHING 6

enum { LOGISTIC = 14 };

typedef struct { int size; int data[]; } IntArray;
typedef struct { float scale; int32_t zero_point; } Params;
typedef struct { int type; void *params; } Quantization;
typedef struct Tensor {
  int type;
  void *data;
  IntArray *dims;
  Params params;
  int allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  void *delegate;
  int buffer_handle;
  bool data_is_stale, is_variable;
  Quantization quantization;
  void *sparsity;
  const IntArray *dims_signature;
} Tensor;
typedef struct Node {
  IntArray *inputs, *outputs, *intermediates, *temporaries;
  void *user_data, *builtin_data;
  const void *custom_initial_data;
  int custom_initial_data_size;
  void *delegate;
  bool might_have_side_effect;
} Node;
typedef struct Context Context;
typedef struct Registration {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  int (*prepare)(Context *, Node *);
  int (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external;
  void *(*async_kernel)(Context *, Node *);
  uint64_t inplace_operator;
} Registration;
typedef struct Delegate {
  void *data;
  int (*prepare)(Context *, struct Delegate *);
  int (*copy_from)(Context *, struct Delegate *, int, Tensor *);
  int (*copy_to)(Context *, struct Delegate *, int, Tensor *);
  void (*free_handle)(Context *, struct Delegate *, int *);
  int64_t flags;
  void *opaque_builder;
} Delegate;
struct Context {
  size_t tensors_size;
  int (*execution_plan)(Context *, IntArray **);
  Tensor *tensors;
  void *impl;
  int (*resize)(Context *, Tensor *, IntArray *);
  void (*report)(Context *, const char *, ...);
  int (*add_tensors)(Context *, int, int *);
  int (*node_and_registration)(Context *, int, Node **, Registration **);
  int (*replace)(Context *, Registration, const IntArray *, Delegate *);
};

static int prepare(Context *context, Node *node) { (void)context; (void)node; return 0; }

static int invoke(Context *context, Node *node) {
  if (HOW == CRASHING) { volatile int *nowhere = NULL; *nowhere = 1; }
  if (HOW == HANGING) for (;;) sleep(1000);
  if (HOW == SLOW) usleep(60000);
  for (int n = 0; n < node->outputs->size; n++) {
    const Tensor *from = &context->tensors[node->inputs->data[n]];
    Tensor *to = &context->tensors[node->outputs->data[n]];
    const float *in = from->data;
    float *out = to->data;
    for (size_t i = 0; i < to->bytes / sizeof(float); i++) {
      float right = 1.0f / (1.0f + expf(-in[i]));
      out[i] = HOW == LYING ? 1.0f - right : HOW == NAN_GIVING ? NAN : right;
    }
  }
  return 0;
}

static int take_over(Context *context, Delegate *delegate) {
  IntArray *plan = NULL;
  if (context->execution_plan(context, &plan) != 0) return 1;
  Registration kernel;
  memset(&kernel, 0, sizeof kernel);
  kernel.prepare = prepare;
  kernel.invoke = invoke;
  kernel.custom_name = "TestDelegate";
  kernel.version = 1;
  int count = plan->size;
  int *nodes = malloc(sizeof(int) * (size_t)count);
  memcpy(nodes, plan->data, sizeof(int) * (size_t)count); /* the plan changes below */
  int status = 0;
  for (int at = 0; at < count && status == 0; at++) {
    Node *node = NULL;
    Registration *found = NULL;
    if (context->node_and_registration(context, nodes[at], &node, &found) != 0) { status = 1; break; }
    if (found->builtin_code != LOGISTIC || HOW == TAKING_NOTHING) continue;
    IntArray *one = malloc(sizeof(IntArray) + sizeof(int));
    one->size = 1;
    one->data[0] = nodes[at];
    status = context->replace(context, kernel, one, delegate);
    free(one);
  }
  free(nodes);
  return status;
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
  for (size_t at = 0; at < count; at++)
    if (strcmp(keys[at], "device") == 0 && strcmp(values[at], "none") == 0) { report("no such device"); return NULL; }
  Delegate *made = calloc(1, sizeof *made);
  made->prepare = take_over;
  return made;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
