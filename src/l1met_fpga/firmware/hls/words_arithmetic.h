// -- arithmetic ------------------------------------------------------------------------------------
// A tensor is [channel][lane]; its codes lie in ap_int of exactly the bits they need. Sums and products
// are computed in plain unsigned integers, modulo two to their width, and cut to the ap_int that
// holds the result: synthesis keeps the bits that are asked for, and a C simulation is fast.
// C++11, as the vendors' scripts compile it.

template <bool wide>
struct Plain {
    typedef std::int32_t Int;
    typedef std::uint32_t Unsigned;
};
template <>
struct Plain<true> {
    typedef std::int64_t Int;
    typedef std::uint64_t Unsigned;
};

template <int width>
inline std::int64_t plain(const ap_int<width> &x) {
    return x.to_int64();
}

template <int bits, int width>
inline ap_int<width> shifted_left(const ap_int<width> &x) {
#pragma HLS INLINE
    return ap_int<width>(static_cast<std::int64_t>(static_cast<std::uint64_t>(plain(x)) << bits));
}

enum class Rounding { trn, trn_zero, rnd, rnd_zero, rnd_inf, rnd_min_inf, rnd_conv };
enum class Overflow { wrap, saturate, zero };

/// x / 2**drop, rounded as ap_fixed does; a negative drop multiplies.
template <int drop, Rounding rounding, class Int>
inline Int shift_round(Int x) {
#pragma HLS INLINE
    const int right = drop > 0 ? drop : 1;
    if (drop <= 0) {
        const int left = drop < 0 ? -drop : 0;
        return static_cast<Int>(static_cast<std::uint64_t>(static_cast<std::int64_t>(x)) << left);
    }
    if (rounding == Rounding::trn) return static_cast<Int>(x >> right);
    // the highest dropped bit decides
    if (rounding == Rounding::rnd) return static_cast<Int>(((x >> (right - 1)) + 1) >> 1);
    const Int floor = static_cast<Int>(x >> right);
    const bool half = (x >> (right - 1)) & 1;                                  // highest dropped bit
    const bool below = (x & ((std::int64_t(1) << (right - 1)) - 1)) != 0;      // any of the others
    bool up = half && below;
    if (rounding == Rounding::trn_zero) up = x < 0 && (half || below);
    if (rounding == Rounding::rnd_inf) up = half && (below || x >= 0);
    if (rounding == Rounding::rnd_zero) up = half && (below || x < 0);
    if (rounding == Rounding::rnd_conv) up = half && (below || (floor & 1));
    return static_cast<Int>(floor + up);
}

/// Bring a code into low..high; of a wrapping type these are all its codes.
template <Overflow overflow, std::int64_t low, std::int64_t high, class Int>
inline Int limited(Int x) {
#pragma HLS INLINE
    const Int lowest = static_cast<Int>(low), highest = static_cast<Int>(high);
    if (overflow == Overflow::saturate) return x < lowest ? lowest : x > highest ? highest : x;
    if (overflow == Overflow::zero) return x < lowest || x > highest ? Int(0) : x;
    const std::uint64_t first = static_cast<std::uint64_t>(low);
    const std::uint64_t mask = static_cast<std::uint64_t>(high) - first;
    const std::uint64_t code = static_cast<std::uint64_t>(static_cast<std::int64_t>(x));
    return static_cast<Int>(first + ((code - first) & mask));
}

/// One code in another type: x has `drop` fraction bits more than the result; Wide holds all steps.
template <class Wide, int drop, Rounding rounding, Overflow overflow, std::int64_t low, std::int64_t high>
inline Wide converted(std::int64_t x) {
#pragma HLS INLINE
    return limited<overflow, low, high>(shift_round<drop, rounding>(static_cast<Wide>(x)));
}
template <class Wide, int drop, Rounding rounding, Overflow overflow, std::int64_t low, std::int64_t high,
          int width>
inline Wide converted(const ap_int<width> &x) {
#pragma HLS INLINE
    return converted<Wide, drop, rounding, overflow, low, high>(plain(x));
}

// -- operations on tensors ---------------------------------------------------------------------------

template <class Wide, int drop, Rounding rounding, Overflow overflow, std::int64_t low, std::int64_t high,
          class X, class Y, std::size_t channels, std::size_t lanes>
inline void quantize(const X (&x)[channels][lanes], Y (&y)[channels][lanes]) {
#pragma HLS INLINE
    for (std::size_t c = 0; c < channels; ++c) {
#pragma HLS UNROLL
        for (std::size_t i = 0; i < lanes; ++i) {
#pragma HLS UNROLL
            y[c][i] = Y(converted<Wide, drop, rounding, overflow, low, high>(x[c][i]));
        }
    }
}

template <class X, class Y, std::size_t channels, std::size_t lanes>
inline void look_up(const X (&x)[channels][lanes], Y (&y)[channels][lanes], const Y *table, int lowest) {
#pragma HLS INLINE
    for (std::size_t c = 0; c < channels; ++c) {
#pragma HLS UNROLL
        for (std::size_t i = 0; i < lanes; ++i) {
#pragma HLS UNROLL
            y[c][i] = table[plain(x[c][i]) - lowest];
        }
    }
}

/// Elementwise product; the second factor has as many channels as the first, or one.
template <int left, class A, class B, int width, std::size_t channels, std::size_t factors, std::size_t lanes>
inline void multiply(const A (&a)[channels][lanes], const B (&b)[factors][lanes],
                     ap_int<width> (&y)[channels][lanes]) {
#pragma HLS INLINE
    typedef typename Plain<(width > 32)>::Unsigned U;
    for (std::size_t c = 0; c < channels; ++c) {
#pragma HLS UNROLL
        for (std::size_t i = 0; i < lanes; ++i) {
#pragma HLS UNROLL
            const U product = static_cast<U>(plain(a[c][i])) * static_cast<U>(plain(b[factors == 1 ? 0 : c][i]));
            y[c][i] = ap_int<width>(static_cast<typename Plain<(width > 32)>::Int>(product << left));
        }
    }
}

/// Add a[i] b[j], summed over the lanes, to sum[i * B + j]; the first beat starts from zero.
template <class A, class B, int width, std::size_t as, std::size_t bs, std::size_t lanes>
inline void add_products(const A (&a)[as][lanes], const B (&b)[bs][lanes], bool first,
                         ap_int<width> (&sum)[as * bs]) {
#pragma HLS INLINE
    typedef typename Plain<(width > 32)>::Unsigned U;
    for (std::size_t i = 0; i < as; ++i) {
#pragma HLS UNROLL
        for (std::size_t j = 0; j < bs; ++j) {
#pragma HLS UNROLL
            U total = 0;
            for (std::size_t k = 0; k < lanes; ++k) {
#pragma HLS UNROLL
                total += static_cast<U>(plain(a[i][k])) * static_cast<U>(plain(b[j][k]));
            }
            const U before = first ? U(0) : static_cast<U>(plain(sum[i * bs + j]));
            sum[i * bs + j] = ap_int<width>(static_cast<typename Plain<(width > 32)>::Int>(before + total));
        }
    }
}

/// A finished sum as a tensor of one lane: sign * sum * 2**left.
template <int sign, int left, int width, std::size_t channels>
inline void take_sum(const ap_int<width> (&sum)[channels], ap_int<width> (&y)[channels][1]) {
#pragma HLS INLINE
    for (std::size_t c = 0; c < channels; ++c) {
#pragma HLS UNROLL
        y[c][0] = shifted_left<left>(ap_int<width>(sign * plain(sum[c])));
    }
}

/// y[a] = 2**left * sum_k c[k] v[2 k + a].
template <int left, class C, class V, int width, std::size_t pools>
inline void combine(const C (&c)[pools][1], const V (&v)[2 * pools][1], ap_int<width> (&y)[2][1]) {
#pragma HLS INLINE
    for (std::size_t axis = 0; axis < 2; ++axis) {
#pragma HLS UNROLL
        std::uint64_t sum = 0;
        for (std::size_t k = 0; k < pools; ++k) {
#pragma HLS UNROLL
            sum += static_cast<std::uint64_t>(plain(c[k][0])) * static_cast<std::uint64_t>(plain(v[2 * k + axis][0]));
        }
        y[axis][0] = ap_int<width>(static_cast<std::int64_t>(sum << left));
    }
}

/// px, py: pt times cosine and sine of phi in 1440 counts per turn; the table holds the first quarter.
template <class Wide, int drop, Rounding rounding, Overflow overflow, std::int64_t low, std::int64_t high,
          class Pt, class Phi, class Y, class Cos, std::size_t lanes>
inline void project(const Pt (&pt)[1][lanes], const Phi (&phi)[1][lanes], Y (&p)[2][lanes], const Cos *quarter) {
#pragma HLS INLINE
    for (std::size_t i = 0; i < lanes; ++i) {
#pragma HLS UNROLL
        const int angle = static_cast<int>(plain(phi[0][i]));
        const int turn = angle < 0 ? -angle : angle;
        const bool beyond = turn > 720;
        const int half = beyond ? 1440 - turn : turn;
        const bool obtuse = half > 360;
        const int acute = obtuse ? 720 - half : half;
        const std::int64_t along = plain(quarter[acute]), across = plain(quarter[360 - acute]);
        const std::int64_t px = plain(pt[0][i]) * along, py = plain(pt[0][i]) * across;
        p[0][i] = Y(converted<Wide, drop, rounding, overflow, low, high>(obtuse ? -px : px));
        p[1][i] = Y(converted<Wide, drop, rounding, overflow, low, high>((angle < 0) != beyond ? -py : py));
    }
}
