// Kernels of the network operations that hls4ml has no layer for (io_parallel).
//
// Candidates are worked on in n_partitions steps of n_parallel slots each, one step per clock, the
// folding of hls4ml's own pointwise convolution with the same ParallelizationFactor. Every sum is
// kept in a type that holds it exactly; only the assignment to the result rounds and saturates.
#ifndef NNET_L1MET_H_
#define NNET_L1MET_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace nnet {

struct l1met_config {
    static const unsigned n_candidates = 128;
    static const unsigned n_partitions = 32;
    static const unsigned n_parallel = n_candidates / n_partitions;
};

// The same bits under another binary point.
template <class out_T, class in_T> out_T l1met_same_bits(const in_T &x) {
    #pragma HLS INLINE
    out_T y = 0;
    y.range(out_T::width - 1, 0) = x.range(out_T::width - 1, 0);
    return y;
}

template <class T, unsigned SIZE> void l1met_clear(T x[SIZE]) {
    #pragma HLS INLINE
    for (unsigned k = 0; k < SIZE; k++) {
        #pragma HLS UNROLL
        x[k] = 0;
    }
}

// px and py of one candidate: pt in units of 0.25 GeV, phi in units of pi/720, taken modulo 1440.
// quadrant_cos holds cos for 0 to 360 counts, both ends included.
template <class pt_T, class phi_T, class res_T, typename CONFIG_T>
void l1met_momentum_of(const pt_T &pt, const phi_T &phi, typename CONFIG_T::table_t quadrant_cos[361], res_T &px,
                       res_T &py) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::cosine_t cosine_t;
    ap_int<13> turned = phi;
    ap_uint<11> angle = (turned < 0) ? ap_uint<11>(turned + 1440) : ap_uint<11>(turned);
    ap_uint<2> quadrant = 0;
    ap_uint<9> rest = angle;
    if (angle >= 1080) {
        quadrant = 3;
        rest = angle - 1080;
    } else if (angle >= 720) {
        quadrant = 2;
        rest = angle - 720;
    } else if (angle >= 360) {
        quadrant = 1;
        rest = angle - 360;
    }
    const cosine_t falling = quadrant_cos[rest];
    const cosine_t rising = quadrant_cos[360 - rest];
    const cosine_t minus_falling = -falling;
    const cosine_t minus_rising = -rising;
    cosine_t cosine = falling;
    cosine_t sine = rising;
    if (quadrant == 1) {
        cosine = minus_rising;
        sine = falling;
    } else if (quadrant == 2) {
        cosine = minus_falling;
        sine = minus_rising;
    } else if (quadrant == 3) {
        cosine = rising;
        sine = minus_falling;
    }
    const ap_ufixed<pt_T::width, pt_T::width - 2> pt_gev =
        l1met_same_bits<ap_ufixed<pt_T::width, pt_T::width - 2>, pt_T>(pt);
    px = pt_gev * cosine;
    py = pt_gev * sine;
}

template <class pt_T, class phi_T, class res_T, typename CONFIG_T>
void l1met_momentum(pt_T pt[CONFIG_T::n_candidates], phi_T phi[CONFIG_T::n_candidates],
                    res_T res[CONFIG_T::n_candidates * 2], typename CONFIG_T::table_t quadrant_cos[361]) {
    // a ROM with a port per read; partitioned it would be a multiplexer of 361 values per read
    #pragma HLS BIND_STORAGE variable=quadrant_cos type=rom_np impl=lutram
MomentumLoop:
    for (unsigned i = 0; i < CONFIG_T::n_partitions; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned j = 0; j < CONFIG_T::n_parallel; j++) {
            #pragma HLS UNROLL
            const unsigned slot = i * CONFIG_T::n_parallel + j;
            l1met_momentum_of<pt_T, phi_T, res_T, CONFIG_T>(pt[slot], phi[slot], quadrant_cos, res[2 * slot],
                                                           res[2 * slot + 1]);
        }
    }
}

// V[k] = -sum_i w[i][k] p[i]
template <class w_T, class p_T, class res_T, typename CONFIG_T>
void l1met_vector_pool(w_T weights[CONFIG_T::n_candidates * CONFIG_T::n_pools],
                       p_T momentum[CONFIG_T::n_candidates * 2], res_T res[CONFIG_T::n_pools * 2]) {
    typename CONFIG_T::accum_t acc[CONFIG_T::n_pools * 2];
    #pragma HLS ARRAY_PARTITION variable=acc complete
    l1met_clear<typename CONFIG_T::accum_t, CONFIG_T::n_pools * 2>(acc);
VectorPoolLoop:
    for (unsigned i = 0; i < CONFIG_T::n_partitions; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned k = 0; k < CONFIG_T::n_pools; k++) {
            #pragma HLS UNROLL
            for (unsigned axis = 0; axis < 2; axis++) {
                #pragma HLS UNROLL
                typename CONFIG_T::accum_t step = 0;
                for (unsigned j = 0; j < CONFIG_T::n_parallel; j++) {
                    #pragma HLS UNROLL
                    const unsigned slot = i * CONFIG_T::n_parallel + j;
                    step += weights[slot * CONFIG_T::n_pools + k] * momentum[slot * 2 + axis];
                }
                acc[k * 2 + axis] -= step;
            }
        }
    }
    for (unsigned k = 0; k < CONFIG_T::n_pools * 2; k++) {
        #pragma HLS UNROLL
        res[k] = acc[k];
    }
}

// S[m] = 2**-shift sum_i [pt_i > 0] s[i][m]; sum_t has the binary point of s, accum_t that of S.
template <class s_T, class pt_T, class res_T, typename CONFIG_T>
void l1met_scalar_pool(s_T scalars[CONFIG_T::n_candidates * CONFIG_T::n_pools], pt_T pt[CONFIG_T::n_candidates],
                       res_T res[CONFIG_T::n_pools]) {
    typename CONFIG_T::sum_t acc[CONFIG_T::n_pools];
    #pragma HLS ARRAY_PARTITION variable=acc complete
    l1met_clear<typename CONFIG_T::sum_t, CONFIG_T::n_pools>(acc);
ScalarPoolLoop:
    for (unsigned i = 0; i < CONFIG_T::n_partitions; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned m = 0; m < CONFIG_T::n_pools; m++) {
            #pragma HLS UNROLL
            typename CONFIG_T::sum_t step = 0;
            for (unsigned j = 0; j < CONFIG_T::n_parallel; j++) {
                #pragma HLS UNROLL
                const unsigned slot = i * CONFIG_T::n_parallel + j;
                if (pt[slot] > 0)
                    step += scalars[slot * CONFIG_T::n_pools + m];
            }
            acc[m] += step;
        }
    }
    for (unsigned m = 0; m < CONFIG_T::n_pools; m++) {
        #pragma HLS UNROLL
        res[m] = l1met_same_bits<typename CONFIG_T::accum_t, typename CONFIG_T::sum_t>(acc[m]);
    }
}

// F[a][j] = 2**-shift sum_i [pt_i > 0] w[i][a] x[i][j]
template <class w_T, class x_T, class pt_T, class res_T, typename CONFIG_T>
void l1met_aggregate(w_T weights[CONFIG_T::n_candidates * CONFIG_T::n_weights],
                     x_T features[CONFIG_T::n_candidates * CONFIG_T::n_features], pt_T pt[CONFIG_T::n_candidates],
                     res_T res[CONFIG_T::n_weights * CONFIG_T::n_features]) {
    typename CONFIG_T::sum_t acc[CONFIG_T::n_weights * CONFIG_T::n_features];
    #pragma HLS ARRAY_PARTITION variable=acc complete
    l1met_clear<typename CONFIG_T::sum_t, CONFIG_T::n_weights * CONFIG_T::n_features>(acc);
AggregateLoop:
    for (unsigned i = 0; i < CONFIG_T::n_partitions; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned a = 0; a < CONFIG_T::n_weights; a++) {
            #pragma HLS UNROLL
            for (unsigned f = 0; f < CONFIG_T::n_features; f++) {
                #pragma HLS UNROLL
                typename CONFIG_T::sum_t step = 0;
                for (unsigned j = 0; j < CONFIG_T::n_parallel; j++) {
                    #pragma HLS UNROLL
                    const unsigned slot = i * CONFIG_T::n_parallel + j;
                    if (pt[slot] > 0)
                        step += weights[slot * CONFIG_T::n_weights + a] * features[slot * CONFIG_T::n_features + f];
                }
                acc[a * CONFIG_T::n_features + f] += step;
            }
        }
    }
    for (unsigned k = 0; k < CONFIG_T::n_weights * CONFIG_T::n_features; k++) {
        #pragma HLS UNROLL
        res[k] = l1met_same_bits<typename CONFIG_T::accum_t, typename CONFIG_T::sum_t>(acc[k]);
    }
}

// MET = sum_k c[k] V[k]
template <class c_T, class v_T, class res_T, typename CONFIG_T>
void l1met_combine(c_T coefficients[CONFIG_T::n_pools], v_T vectors[CONFIG_T::n_pools * 2], res_T res[2]) {
    #pragma HLS PIPELINE II=1
    for (unsigned axis = 0; axis < 2; axis++) {
        #pragma HLS UNROLL
        typename CONFIG_T::accum_t acc = 0;
        for (unsigned k = 0; k < CONFIG_T::n_pools; k++) {
            #pragma HLS UNROLL
            acc += coefficients[k] * vectors[2 * k + axis];
        }
        res[axis] = acc;
    }
}

// (n, a) times (n, a), or (n, 1) repeated
template <class x_T, class y_T, class res_T, typename CONFIG_T>
void l1met_multiply(x_T x[CONFIG_T::n_rows * CONFIG_T::n_left], y_T y[CONFIG_T::n_rows * CONFIG_T::n_right],
                    res_T res[CONFIG_T::n_rows * CONFIG_T::n_out]) {
MultiplyLoop:
    for (unsigned i = 0; i < CONFIG_T::n_partitions; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned j = 0; j < CONFIG_T::n_rows / CONFIG_T::n_partitions; j++) {
            #pragma HLS UNROLL
            const unsigned row = i * (CONFIG_T::n_rows / CONFIG_T::n_partitions) + j;
            for (unsigned a = 0; a < CONFIG_T::n_out; a++) {
                #pragma HLS UNROLL
                const typename CONFIG_T::accum_t product = x[row * CONFIG_T::n_left + (CONFIG_T::n_left == 1 ? 0 : a)] *
                                                           y[row * CONFIG_T::n_right + (CONFIG_T::n_right == 1 ? 0 : a)];
                res[row * CONFIG_T::n_out + a] = product;
            }
        }
    }
}

// Table indexed by the bits of x
template <class x_T, class res_T, typename CONFIG_T>
void l1met_table(x_T x[CONFIG_T::n_rows * CONFIG_T::n_out], res_T res[CONFIG_T::n_rows * CONFIG_T::n_out],
                 typename CONFIG_T::table_t table[CONFIG_T::table_size]) {
    #pragma HLS BIND_STORAGE variable=table type=rom_np impl=lutram
TableLoop:
    for (unsigned i = 0; i < CONFIG_T::n_partitions; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned j = 0; j < CONFIG_T::n_rows * CONFIG_T::n_out / CONFIG_T::n_partitions; j++) {
            #pragma HLS UNROLL
            const unsigned k = i * (CONFIG_T::n_rows * CONFIG_T::n_out / CONFIG_T::n_partitions) + j;
            const ap_uint<x_T::width> index = x[k].range(x_T::width - 1, 0);
            res[k] = table[index];
        }
    }
}

// Change of type
template <class x_T, class res_T, typename CONFIG_T>
void l1met_quantize(x_T x[CONFIG_T::n_rows * CONFIG_T::n_out], res_T res[CONFIG_T::n_rows * CONFIG_T::n_out]) {
QuantizeLoop:
    for (unsigned i = 0; i < CONFIG_T::n_partitions; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned j = 0; j < CONFIG_T::n_rows * CONFIG_T::n_out / CONFIG_T::n_partitions; j++) {
            #pragma HLS UNROLL
            const unsigned k = i * (CONFIG_T::n_rows * CONFIG_T::n_out / CONFIG_T::n_partitions) + j;
            res[k] = x[k];
        }
    }
}

// One producer, several consumers: a dataflow region wants one array for each.
template <class x_T, class res_T, unsigned SIZE> void l1met_fork(x_T x[SIZE], res_T a[SIZE], res_T b[SIZE]) {
    #pragma HLS PIPELINE II=1
    for (unsigned k = 0; k < SIZE; k++) {
        #pragma HLS UNROLL
        a[k] = x[k];
        b[k] = x[k];
    }
}

} // namespace nnet

#endif
