// Kernels of the network operations that hls4ml has no layer for (io_stream): one candidate, that
// is one packet of every stream, per clock.
#ifndef NNET_L1MET_STREAM_H_
#define NNET_L1MET_STREAM_H_

#include "nnet_l1met.h"
#include "nnet_types.h"

namespace nnet {

template <class pt_T, class phi_T, class res_T, typename CONFIG_T>
void l1met_momentum(hls::stream<pt_T> &pt, hls::stream<phi_T> &phi, hls::stream<res_T> &res,
                    typename CONFIG_T::table_t quadrant_cos[361]) {
MomentumLoop:
    for (unsigned i = 0; i < CONFIG_T::n_candidates; i++) {
        #pragma HLS PIPELINE II=1
        const pt_T pt_in = pt.read();
        const phi_T phi_in = phi.read();
        res_T out;
        l1met_momentum_of<typename pt_T::value_type, typename phi_T::value_type, typename res_T::value_type, CONFIG_T>(
            pt_in[0], phi_in[0], quadrant_cos, out[0], out[1]);
        res.write(out);
    }
}

template <class w_T, class p_T, class res_T, typename CONFIG_T>
void l1met_vector_pool(hls::stream<w_T> &weights, hls::stream<p_T> &momentum, hls::stream<res_T> &res) {
    typename CONFIG_T::accum_t acc[CONFIG_T::n_pools * 2];
    #pragma HLS ARRAY_PARTITION variable=acc complete
    l1met_clear<typename CONFIG_T::accum_t, CONFIG_T::n_pools * 2>(acc);
VectorPoolLoop:
    for (unsigned i = 0; i < CONFIG_T::n_candidates; i++) {
        #pragma HLS PIPELINE II=1
        const w_T w = weights.read();
        const p_T p = momentum.read();
        for (unsigned k = 0; k < CONFIG_T::n_pools; k++) {
            #pragma HLS UNROLL
            acc[2 * k] -= w[k] * p[0];
            acc[2 * k + 1] -= w[k] * p[1];
        }
    }
    res_T out;
    for (unsigned k = 0; k < CONFIG_T::n_pools * 2; k++) {
        #pragma HLS UNROLL
        out[k] = acc[k];
    }
    res.write(out);
}

template <class s_T, class pt_T, class res_T, typename CONFIG_T>
void l1met_scalar_pool(hls::stream<s_T> &scalars, hls::stream<pt_T> &pt, hls::stream<res_T> &res) {
    typename CONFIG_T::sum_t acc[CONFIG_T::n_pools];
    #pragma HLS ARRAY_PARTITION variable=acc complete
    l1met_clear<typename CONFIG_T::sum_t, CONFIG_T::n_pools>(acc);
ScalarPoolLoop:
    for (unsigned i = 0; i < CONFIG_T::n_candidates; i++) {
        #pragma HLS PIPELINE II=1
        const s_T s = scalars.read();
        const pt_T pt_in = pt.read();
        for (unsigned m = 0; m < CONFIG_T::n_pools; m++) {
            #pragma HLS UNROLL
            if (pt_in[0] > 0)
                acc[m] += s[m];
        }
    }
    res_T out;
    for (unsigned m = 0; m < CONFIG_T::n_pools; m++) {
        #pragma HLS UNROLL
        out[m] = l1met_same_bits<typename CONFIG_T::accum_t, typename CONFIG_T::sum_t>(acc[m]);
    }
    res.write(out);
}

template <class w_T, class x_T, class pt_T, class res_T, typename CONFIG_T>
void l1met_aggregate(hls::stream<w_T> &weights, hls::stream<x_T> &features, hls::stream<pt_T> &pt,
                     hls::stream<res_T> &res) {
    typename CONFIG_T::sum_t acc[CONFIG_T::n_weights * CONFIG_T::n_features];
    #pragma HLS ARRAY_PARTITION variable=acc complete
    l1met_clear<typename CONFIG_T::sum_t, CONFIG_T::n_weights * CONFIG_T::n_features>(acc);
AggregateLoop:
    for (unsigned i = 0; i < CONFIG_T::n_candidates; i++) {
        #pragma HLS PIPELINE II=1
        const w_T w = weights.read();
        const x_T x = features.read();
        const pt_T pt_in = pt.read();
        for (unsigned a = 0; a < CONFIG_T::n_weights; a++) {
            #pragma HLS UNROLL
            for (unsigned f = 0; f < CONFIG_T::n_features; f++) {
                #pragma HLS UNROLL
                if (pt_in[0] > 0)
                    acc[a * CONFIG_T::n_features + f] += w[a] * x[f];
            }
        }
    }
    res_T out;
    for (unsigned k = 0; k < CONFIG_T::n_weights * CONFIG_T::n_features; k++) {
        #pragma HLS UNROLL
        out[k] = l1met_same_bits<typename CONFIG_T::accum_t, typename CONFIG_T::sum_t>(acc[k]);
    }
    res.write(out);
}

template <class c_T, class v_T, class res_T, typename CONFIG_T>
void l1met_combine(hls::stream<c_T> &coefficients, hls::stream<v_T> &vectors, hls::stream<res_T> &res) {
    #pragma HLS PIPELINE II=1
    const c_T c = coefficients.read();
    const v_T v = vectors.read();
    res_T out;
    for (unsigned axis = 0; axis < 2; axis++) {
        #pragma HLS UNROLL
        typename CONFIG_T::accum_t acc = 0;
        for (unsigned k = 0; k < CONFIG_T::n_pools; k++) {
            #pragma HLS UNROLL
            acc += c[k] * v[2 * k + axis];
        }
        out[axis] = acc;
    }
    res.write(out);
}

template <class x_T, class y_T, class res_T, typename CONFIG_T>
void l1met_multiply(hls::stream<x_T> &x, hls::stream<y_T> &y, hls::stream<res_T> &res) {
MultiplyLoop:
    for (unsigned row = 0; row < CONFIG_T::n_rows; row++) {
        #pragma HLS PIPELINE II=1
        const x_T left = x.read();
        const y_T right = y.read();
        res_T out;
        for (unsigned a = 0; a < CONFIG_T::n_out; a++) {
            #pragma HLS UNROLL
            const typename CONFIG_T::accum_t product =
                left[CONFIG_T::n_left == 1 ? 0 : a] * right[CONFIG_T::n_right == 1 ? 0 : a];
            out[a] = product;
        }
        res.write(out);
    }
}

template <class x_T, class res_T, typename CONFIG_T>
void l1met_table(hls::stream<x_T> &x, hls::stream<res_T> &res,
                 typename CONFIG_T::table_t table[CONFIG_T::table_size]) {
    #pragma HLS ARRAY_PARTITION variable=table complete
TableLoop:
    for (unsigned row = 0; row < CONFIG_T::n_rows; row++) {
        #pragma HLS PIPELINE II=1
        const x_T in = x.read();
        res_T out;
        for (unsigned a = 0; a < CONFIG_T::n_out; a++) {
            #pragma HLS UNROLL
            const ap_uint<x_T::value_type::width> index = in[a].range(x_T::value_type::width - 1, 0);
            out[a] = table[index];
        }
        res.write(out);
    }
}

template <class x_T, class res_T, typename CONFIG_T>
void l1met_quantize(hls::stream<x_T> &x, hls::stream<res_T> &res) {
QuantizeLoop:
    for (unsigned row = 0; row < CONFIG_T::n_rows; row++) {
        #pragma HLS PIPELINE II=1
        const x_T in = x.read();
        res_T out;
        for (unsigned a = 0; a < CONFIG_T::n_out; a++) {
            #pragma HLS UNROLL
            out[a] = in[a];
        }
        res.write(out);
    }
}

} // namespace nnet

#endif
