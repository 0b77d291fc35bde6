/* NumPy's products and functions with the last bit of each result disturbed.

   Processors may differ there, and so what a lesson prints must not depend on it. disturb(ufunc)
   puts a loop of ours in the place of each of NumPy's: it calls the old one, then moves every
   number that came out by -1, 0 or +1 unit in the last place. Zeros, whole numbers, infinities
   and NaN stay. Which way a number goes is a hash of its mantissa and of the seed: equal
   computations stay equal, and a sign or a factor of two goes through as on any processor. */

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <numpy/ndarrayobject.h>
#include <numpy/ufuncobject.h>

typedef struct Loop {
    struct Loop *next;
    PyUFuncObject *ufunc;
    const char *types;  /* of its arguments, inputs first */
    PyUFuncGenericFunction old;
    void *data;         /* what NumPy hands to the old loop */
    int64_t moved;      /* how many numbers it has changed */
} Loop;

static Loop *loops;
static uint64_t seed;
static PyArray_DotFunc *old_dot[2];
static int64_t moved_by_dot;

/* -1, 0 or 1; the mixing is that of splitmix64. */
static inline int direction(uint64_t mantissa)
{
    uint64_t h = mantissa + (seed + 1) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9u;
    h = (h ^ h >> 27) * 0x94D049BB133111EBu;
    return (int)((h ^ h >> 31) % 3) - 1;
}

/* One more in the bits is one unit in the last place away from zero. */
#define NUDGE(NAME, REAL, BITS, MANTISSA)                                     \
    static int64_t NAME(char *at, npy_intp count, npy_intp stride)            \
    {                                                                         \
        int64_t moved = 0;                                                    \
        for (npy_intp i = 0; i < count; i++, at += stride) {                  \
            REAL x;                                                           \
            BITS bits;                                                        \
            memcpy(&x, at, sizeof x);                                         \
            if (!isfinite(x) || x == (REAL)rint(x)) continue;                 \
            memcpy(&bits, at, sizeof bits);                                   \
            int by = direction(bits & (((BITS)1 << MANTISSA) - 1));           \
            bits += by;                                                       \
            memcpy(at, &bits, sizeof bits);                                   \
            moved += by != 0;                                                 \
        }                                                                     \
        return moved;                                                         \
    }
NUDGE(nudge_float, float, uint32_t, 23)
NUDGE(nudge_double, double, uint64_t, 52)

static int64_t nudge(int type, char *at, npy_intp count, npy_intp stride)
{
    switch (type) {
    case NPY_FLOAT: return nudge_float(at, count, stride);
    case NPY_DOUBLE: return nudge_double(at, count, stride);
    case NPY_CFLOAT: return nudge_float(at, count, stride) + nudge_float(at + 4, count, stride);
    case NPY_CDOUBLE: return nudge_double(at, count, stride) + nudge_double(at + 8, count, stride);
    default: return 0;
    }
}

static int64_t walk(int type, char *at, int axes, const npy_intp *sizes, const npy_intp *strides)
{
    npy_intp count = *strides ? *sizes : *sizes > 0;  /* stride 0: the same number again */
    int64_t moved = 0;
    if (axes == 1) return nudge(type, at, count, *strides);
    for (npy_intp i = 0; i < count; i++)
        moved += walk(type, at + i * *strides, axes - 1, sizes + 1, strides + 1);
    return moved;
}

static void disturbed(char **args, const npy_intp *sizes, const npy_intp *strides, void *data)
{
    Loop *loop = data;
    PyUFuncObject *u = loop->ufunc;
    char *outputs[NPY_MAXARGS];
    int64_t moved = 0;
    memcpy(outputs, args, u->nargs * sizeof *args);  /* the old loop moves args along */
    loop->old(args, sizes, strides, loop->data);
    for (int arg = u->nin; arg < u->nargs; arg++) {
        npy_intp its_sizes[NPY_MAXDIMS] = {sizes[0]}, its_strides[NPY_MAXDIMS] = {strides[arg]};
        int axes = u->core_enabled ? u->core_num_dims[arg] : 0;
        for (int i = 0, at; i < axes; i++) {
            at = u->core_offsets[arg] + i;
            its_sizes[1 + i] = sizes[1 + u->core_dim_ixs[at]];
            its_strides[1 + i] = strides[u->nargs + at];
        }
        moved += walk(loop->types[arg], outputs[arg], 1 + axes, its_sizes, its_strides);
    }
    __atomic_fetch_add(&loop->moved, moved, __ATOMIC_RELAXED);
}

/* np.dot, np.vdot and np.inner of two vectors, np.convolve, the norm of a flat array: no ufunc. */
#define DOT(NAME, NUDGE, OLD)                                                                   \
    static void NAME(void *a, npy_intp sa, void *b, npy_intp sb, void *y, npy_intp n, void *x)  \
    {                                                                                           \
        OLD(a, sa, b, sb, y, n, x);                                                             \
        __atomic_fetch_add(&moved_by_dot, NUDGE(y, 1, 0), __ATOMIC_RELAXED);                    \
    }
DOT(dot_float, nudge_float, old_dot[0])
DOT(dot_double, nudge_double, old_dot[1])

static PyObject *disturb_dot(PyObject *self, PyObject *nothing)
{
    PyArray_DotFunc *ours[] = {dot_float, dot_double};
    for (int i = 0; i < 2; i++) {
        PyArray_Descr *dtype = PyArray_DescrFromType(i ? NPY_DOUBLE : NPY_FLOAT);
        PyArray_ArrFuncs *functions = PyDataType_GetArrFuncs(dtype);
        if (functions->dotfunc != ours[i]) old_dot[i] = functions->dotfunc;
        functions->dotfunc = ours[i];
        Py_DECREF(dtype);
    }
    Py_RETURN_NONE;
}

static int disturb_loop(PyUFuncObject *u, int i, void **data)
{
    int types[NPY_MAXARGS], real = 0;
    for (int arg = 0; arg < u->nargs; arg++) {
        types[arg] = u->types[i * u->nargs + arg];
        real |= arg >= u->nin && (types[arg] == NPY_FLOAT || types[arg] == NPY_DOUBLE ||
                                  types[arg] == NPY_CFLOAT || types[arg] == NPY_CDOUBLE);
    }
    if (!real) return 0;
    Loop *loop = PyMem_Calloc(1, sizeof *loop);
    if (!loop) return -1;
    *loop = (Loop){loops, u, u->types + i * u->nargs, NULL, data[i], 0};
    data[i] = loops = loop;
    return PyUFunc_ReplaceLoopBySignature(u, disturbed, types, &loop->old);
}

static PyObject *disturb(PyObject *self, PyObject *ufunc)
{
    PyUFuncObject *u = (PyUFuncObject *)ufunc;
    if (!PyObject_TypeCheck(ufunc, &PyUFunc_Type))
        return PyErr_Format(PyExc_ValueError, "ufunc is %R: a ufunc was expected", ufunc);
    void **data = PyMem_Calloc(u->ntypes, sizeof *data);  /* kept: NumPy's own may be read-only */
    if (!data) return PyErr_NoMemory();
    if (u->data) memcpy(data, u->data, u->ntypes * sizeof *data);
    for (int i = 0; i < u->ntypes; i++)
        if (disturb_loop(u, i, data))
            return PyErr_Format(PyExc_RuntimeError, "loop %d of %R was not replaced", i, ufunc);
    u->data = data;
    Py_INCREF(ufunc);
    Py_RETURN_NONE;
}

static PyObject *set_seed(PyObject *self, PyObject *number)
{
    seed = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

/* {"matmul": how many of its results were changed, ...} */
static PyObject *moved(PyObject *self, PyObject *nothing)
{
    PyObject *counts = Py_BuildValue("{sL}", "dot", (long long)moved_by_dot);
    for (Loop *loop = loops; counts && loop; loop = loop->next) {
        PyObject *before = PyDict_GetItemString(counts, loop->ufunc->name);
        long long sum = loop->moved + (before ? PyLong_AsLongLong(before) : 0);
        PyObject *after = PyLong_FromLongLong(sum);
        if (!after || PyDict_SetItemString(counts, loop->ufunc->name, after)) Py_CLEAR(counts);
        Py_XDECREF(after);
    }
    return counts;
}

static PyMethodDef methods[] = {
    {"disturb", disturb, METH_O, "Disturb all that this ufunc returns, from now on."},
    {"disturb_dot", disturb_dot, METH_NOARGS, "Disturb the products of two vectors."},
    {"seed", set_seed, METH_O, "Another seed, another disturbance."},
    {"moved", moved, METH_NOARGS, "How many results were changed, by the name of the ufunc."},
    {NULL},
};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "ulp", NULL, -1, methods};

PyMODINIT_FUNC PyInit_ulp(void)
{
    import_array();
    import_umath();
    return PyModule_Create(&module);
}
